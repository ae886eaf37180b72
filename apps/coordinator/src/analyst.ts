// Asks a thread what takes long (analysis.ts), so that the event loop stays free for health, watchers and telemetry.
// The thread starts when it is needed and ends when it was not for a while; one that died is replaced at the next
// question, and what it was asked rejects.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { memoryLimitBytes } from '@kworkbench/service-host';
import type { Analysis } from './analysis.js';
import { StoreUnavailableError } from './store/index.js';

/** An idle thread holds some 60 MB. */
const END_AFTER_IDLE_MS = 60_000;
/** Results, report and statistics of an experiment of thousands of cells. */
const MOST_HEAP_MB = 256;
/** Of the memory that the container has; the main thread's heap takes half, telemetry on its way some of the rest. */
const SHARE_OF_MEMORY = 1 / 4;
/** On top of the heap; V8's own choice follows the machine's memory, not the container's. */
const YOUNG_GENERATION_MB = 16;

export interface ThreadData {
  readonly databaseUrl: string;
  readonly mechanismModules: readonly string[];
}
export interface ThreadQuestion {
  readonly number: number;
  readonly method: keyof Analysis;
  readonly args: readonly unknown[];
}
export type ThreadAnswer =
  | { readonly number: number; readonly answer: unknown }
  | {
      readonly number: number;
      readonly error: { readonly name: string; readonly message: string; readonly stack: string | undefined };
    };

/** URLs of modules whose mechanisms the thread knows besides those of this build. For tests; set before the start. */
export const analysisModules: string[] = [];

/** Beside this file, or in `dist` when this file is run from its source (tests). */
function threadUrl(): URL {
  const beside = new URL('./analysis-thread.js', import.meta.url);
  return existsSync(fileURLToPath(beside)) ? beside : new URL('../dist/analysis-thread.js', import.meta.url);
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export class Analyst {
  #thread: Worker | undefined;
  #asked = 0;
  readonly #waiting = new Map<number, Waiting>();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly heapMb = heapThatFits(memoryLimitBytes()),
  ) {}

  /** Starts the thread: a question will come soon. */
  warm(): void {
    if (this.#closed) return;
    this.#thread ??= this.#start();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#waiting.size > 0 || void this.#end(), END_AFTER_IDLE_MS).unref();
  }

  /** @throws StoreUnavailableError, and what the analysis throws. */
  ask<Method extends keyof Analysis>(
    method: Method,
    ...args: Parameters<Analysis[Method]>
  ): Promise<Awaited<ReturnType<Analysis[Method]>>> {
    if (this.#closed) return Promise.reject(new Error('the coordinator is stopping'));
    this.warm();
    return new Promise((resolve, reject) => {
      const number = this.#asked++;
      this.#waiting.set(number, { resolve, reject });
      this.#thread!.postMessage({ number, method, args } satisfies ThreadQuestion);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    await this.#end();
  }

  #start(): Worker {
    const thread = new Worker(threadUrl(), {
      workerData: { databaseUrl: this.databaseUrl, mechanismModules: analysisModules } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: this.heapMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      execArgv: [],
    });
    thread.unref();
    thread.on('message', (message: ThreadAnswer) => {
      const waiting = this.#waiting.get(message.number);
      this.#waiting.delete(message.number);
      this.warm();
      if ('answer' in message) waiting?.resolve(message.answer as never);
      else waiting?.reject(errorOf(message.error));
    });
    thread.on('error', (error: Error & { code?: string }) => {
      const tooMuch = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#lost(thread, tooMuch ? new Error(`the analysis needed more than ${this.heapMb} MB of heap`) : error);
    });
    thread.on('exit', () => this.#lost(thread, new Error('the analysis was stopped')));
    return thread;
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#lost(thread, new Error('the coordinator is stopping'));
    await thread.terminate();
  }

  #lost(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return; // replaced already
    this.#thread = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** @param limitBytes of the process; undefined where there is none. */
export function heapThatFits(limitBytes = Infinity): number {
  return Math.floor(Math.min(MOST_HEAP_MB, (limitBytes * SHARE_OF_MEMORY) / 2 ** 20));
}

function errorOf({ name, message, stack }: { name: string; message: string; stack: string | undefined }): Error {
  const error = name === StoreUnavailableError.name ? new StoreUnavailableError(message) : new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
