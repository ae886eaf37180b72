// One worker thread and the cell that runs on it. A thread that was stopped or died is never used again.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Frame, TelemetryHeader } from '@kworkbench/telemetry';
import type { CellFailureKind, CellResult } from '../cell.js';
import { FRAME_WINDOW, type RunMessage, type WorkerInit, type WorkerMessage } from './protocol.js';
import { CellError } from './run-cell.js';

/** Where telemetry goes; a promise holds the worker back until it is kept. */
export interface FrameConsumer {
  header(header: TelemetryHeader): void | Promise<void>;
  frame(frame: Frame): void | Promise<void>;
}

export interface ThreadOptions {
  readonly heapMb: number;
  readonly mechanismModules: readonly string[];
  readonly variantFiles: readonly string[];
}

interface Running {
  readonly consumer: FrameConsumer | undefined;
  readonly onStarted: () => void;
  readonly resolve: (result: CellResult) => void;
  readonly reject: (error: unknown) => void;
  /** Everything that arrived is handled in order, one after the other. */
  handled: Promise<void>;
}

/** The compiled worker: beside this file, or in `dist` when this file is run from its source (tests). */
function workerUrl(): URL {
  const beside = new URL('./cell-worker.js', import.meta.url);
  return existsSync(fileURLToPath(beside)) ? beside : new URL('../../dist/worker/cell-worker.js', import.meta.url);
}

/**
 * A simulator makes short-lived objects at a steady rate: a young generation that fits the cache is faster than the
 * default (measured: 1.11 s against 1.29 s a cell of netns-unshare-storm) and keeps a cell at 143 MB instead of 247 MB.
 */
const YOUNG_GENERATION_MB = 24;

/**
 * The event loop of the machine, from the queue down to a task's body, is one hot path of many small functions; V8 inlines
 * 920 bytes of bytecode into one and then calls. With room for more a mutex convoy is 1.3 times as fast, a
 * cell of conntrack-benchmark takes a tenth less. For the threads that start from now on; no digest depends on it.
 */
setFlagsFromString('--max-inlined-bytecode-size=1000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=5000');
setFlagsFromString('--reserve-inline-budget-scale-factor=3');

/**
 * Between two cells no closure and no object of a cell is alive, and a collection that ends there takes the code along
 * that was compiled for them: the next cell begins in the interpreter and compiles it again. Without tasks of its own the
 * collector works when a cell allocates, in the middle of it (measured: a cell of 5,000 cycles through a service 104 ms
 * of CPU against 144).
 */
setFlagsFromString('--no-incremental-marking-task');

export class CellThread {
  readonly #credits = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #worker: Worker;
  #running: Running | undefined;
  #inFlight = 0;
  #heldBackSinceMs = 0;
  #heldBackMs = 0;
  /** False once the thread has been stopped or has died. */
  usable = true;

  constructor({ heapMb, mechanismModules, variantFiles }: ThreadOptions) {
    const workerData: WorkerInit = {
      credits: this.#credits.buffer as SharedArrayBuffer,
      mechanismModules,
      variantFiles,
    };
    this.#worker = new Worker(workerUrl(), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      // Flags of the process (conditions, inspectors) must not change what a cell loads.
      execArgv: [],
    });
    this.#worker.on('message', (message: WorkerMessage) => this.#onMessage(message));
    this.#worker.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? this.#died('memory', `needed more than the ${heapMb} MB of heap that a cell may have`)
        : this.#died('model', `the worker died: ${error.message}`),
    );
    this.#worker.on('exit', (code) => this.#died('model', `the worker ended with code ${code}`));
    // An idle pool must not keep a process alive.
    this.#worker.unref();
  }

  /**
   * @param onStarted the thread is up and begins with the cell.
   * @throws CellError, or what the consumer threw.
   */
  async run(
    message: Omit<RunMessage, 'frames'>,
    consumer: FrameConsumer | undefined,
    onStarted: () => void,
  ): Promise<CellResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CellResult>();
    this.#running = { consumer, onStarted, resolve, reject, handled: Promise.resolve() };
    this.#inFlight = 0;
    this.#heldBackMs = 0;
    Atomics.store(this.#credits, 0, FRAME_WINDOW);
    this.#worker.ref();
    this.#worker.postMessage({ ...message, frames: consumer !== undefined } satisfies RunMessage);
    try {
      return await promise;
    } finally {
      this.#running = undefined;
      this.#worker.unref();
    }
  }

  /** Milliseconds of the present run in which the worker had to wait for the consumer. */
  heldBackMs(): number {
    return this.#heldBackMs + (this.#inFlight >= FRAME_WINDOW ? performance.now() - this.#heldBackSinceMs : 0);
  }

  /** Ends the thread; the cell that runs on it is rejected with `error`. */
  async stop(error: unknown): Promise<void> {
    this.usable = false;
    this.#running?.reject(error);
    await this.#worker.terminate();
  }

  #died(kind: CellFailureKind, message: string): void {
    this.usable = false;
    this.#running?.reject(new CellError(kind, message));
  }

  #onMessage(message: WorkerMessage): void {
    const running = this.#running;
    if (!running) return;
    if (message.type === 'frame' && ++this.#inFlight === FRAME_WINDOW) this.#heldBackSinceMs = performance.now();
    running.handled = running.handled.then(() => this.#handle(running, message)).catch((error) => this.stop(error));
  }

  async #handle(running: Running, message: WorkerMessage): Promise<void> {
    if (running !== this.#running || !this.usable) return;
    switch (message.type) {
      case 'started':
        running.onStarted();
        break;
      case 'header':
        await running.consumer?.header(message.header);
        break;
      case 'frame':
        await running.consumer?.frame(message.frame);
        if (this.#inFlight-- === FRAME_WINDOW) this.#heldBackMs += performance.now() - this.#heldBackSinceMs;
        Atomics.add(this.#credits, 0, 1);
        Atomics.notify(this.#credits, 0);
        break;
      case 'done':
        running.resolve(message.result);
        break;
      case 'failed':
        running.reject(new CellError(message.kind, message.message));
    }
  }
}
