// Cells in worker threads, one per core. Invariants: a cell runs on one thread at a time; a thread that was stopped
// (time-out, cancel) or died is replaced by a new one; waiting cells start in the order in which they were asked for.
import { availableParallelism } from 'node:os';
import type { Cell } from '@kworkbench/mechanism';
import type { Frame } from '@kworkbench/telemetry';
import type { CellResult } from '../cell.js';
import { CellThread, type FrameConsumer } from './cell-thread.js';
import { CellError } from './run-cell.js';

/** Heap of one worker. A cell stays below 300 MB; one that needs three times that is a leak, not a larger cell. */
const DEFAULT_HEAP_MB = 1024;
/** A timer fires a little early at times; less than this left counts as nothing. */
const TIMER_SLACK_MS = 2;

export interface CellPoolOptions {
  /** Threads; the default is one per core. */
  readonly workers?: number;
  /** JavaScript heap of each thread in MB; a cell that needs more fails, the process lives. */
  readonly heapMb?: number;
  /** URLs of modules whose exported mechanisms the threads know besides those of this build. */
  readonly mechanismModules?: readonly string[];
  /** Files of variants that were brought along (bringVariant); the threads load them too. */
  readonly variantFiles?: readonly string[];
}

export interface RunOptions {
  /** Receives header and frames, in order. A promise that it returns holds the cell back: memory stays bounded. */
  readonly sink?: FrameConsumer;
  /** Receives frames, before the sink does; for progress. */
  readonly onFrame?: (frame: Frame) => void | Promise<void>;
  /** The cell has left the queue and begins. */
  readonly onStart?: () => void;
  readonly signal?: AbortSignal;
  /** Wall time from the start of the cell, milliseconds; waiting for a slow consumer does not count. */
  readonly timeoutMs?: number;
}

interface Waiting {
  start(thread: CellThread): Promise<void>;
  cancel(error: CellError): void;
}

export class CellPool {
  readonly workers: number;
  readonly #options: Required<Omit<CellPoolOptions, 'workers'>>;
  readonly #idle: CellThread[] = [];
  readonly #busy = new Set<CellThread>();
  #waiting: Waiting[] = [];
  #closed = false;

  constructor({
    workers = availableParallelism(),
    heapMb = DEFAULT_HEAP_MB,
    mechanismModules = [],
    variantFiles = [],
  }: CellPoolOptions = {}) {
    if (!Number.isInteger(workers) || workers < 1) throw new RangeError(`expected at least one worker, got ${workers}`);
    this.workers = workers;
    this.#options = { heapMb, mechanismModules, variantFiles };
  }

  /**
   * Runs a cell when a thread is free.
   * @throws CellError with the kind of failure; what a sink throws is thrown as it is.
   */
  run({ id, cell }: { readonly id: string; readonly cell: Cell }, options: RunOptions = {}): Promise<CellResult> {
    const { signal } = options;
    if (this.#closed) return Promise.reject(new CellError('cancelled', 'the pool is closed'));
    if (signal?.aborted) return Promise.reject(new CellError('cancelled', 'cancelled before it started'));
    const { promise, resolve, reject } = Promise.withResolvers<CellResult>();
    const waiting: Waiting = {
      start: async (thread) => {
        signal?.removeEventListener('abort', abort);
        await this.#runOn(thread, id, cell, options).then(resolve, reject);
      },
      cancel: (error) => {
        signal?.removeEventListener('abort', abort);
        reject(error);
      },
    };
    const abort = () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.cancel(new CellError('cancelled', 'cancelled before it started'));
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiting.push(waiting);
    this.#startNext();
    return promise;
  }

  /** Ends all threads. Cells that run or wait are rejected as cancelled. */
  async close(): Promise<void> {
    this.#closed = true;
    const error = new CellError('cancelled', 'the pool was closed');
    for (const waiting of this.#waiting.splice(0)) waiting.cancel(error);
    await Promise.all([...this.#idle.splice(0), ...this.#busy].map((thread) => thread.stop(error)));
  }

  #startNext(): void {
    while (this.#waiting.length > 0 && this.#busy.size < this.workers && !this.#closed) {
      const next = this.#waiting.shift()!;
      // A thread may have died while it was idle.
      let thread = this.#idle.pop();
      while (thread && !thread.usable) thread = this.#idle.pop();
      thread ??= new CellThread(this.#options);
      this.#busy.add(thread);
      void this.#occupy(thread, next);
    }
  }

  async #occupy(thread: CellThread, waiting: Waiting): Promise<void> {
    await waiting.start(thread);
    this.#busy.delete(thread);
    if (thread.usable) this.#idle.push(thread);
    this.#startNext();
  }

  async #runOn(thread: CellThread, id: string, cell: Cell, options: RunOptions): Promise<CellResult> {
    const { signal, timeoutMs, onStart } = options;
    const cancel = () => void thread.stop(new CellError('cancelled', 'cancelled while it ran'));
    let clock: ReturnType<typeof startClock> | undefined;
    // The start of a thread is not the cell's time.
    const started = () => {
      if (timeoutMs !== undefined) clock = startClock(thread, timeoutMs);
      onStart?.();
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await thread.run({ id, cell }, consumerOf(options), started);
    } finally {
      clock?.stop();
      signal?.removeEventListener('abort', cancel);
    }
  }
}

/** Stops the thread when its cell has worked for `timeoutMs`. */
function startClock(thread: CellThread, timeoutMs: number) {
  const startedMs = performance.now();
  let timer: NodeJS.Timeout;
  const check = () => {
    const leftMs = timeoutMs - (performance.now() - startedMs - thread.heldBackMs());
    if (leftMs > TIMER_SLACK_MS) timer = setTimeout(check, leftMs);
    else void thread.stop(new CellError('timeout', `not finished after ${timeoutMs / 1000} s`));
  };
  timer = setTimeout(check, timeoutMs);
  return { stop: () => clearTimeout(timer) };
}

function consumerOf({ sink, onFrame }: RunOptions): FrameConsumer | undefined {
  if (!onFrame) return sink;
  return {
    header: (header) => sink?.header(header),
    frame: async (frame) => {
      await onFrame(frame);
      await sink?.frame(frame);
    },
  };
}
