// The worker thread of a CellPool. Cells are synchronous, so the thread cannot take messages while one runs: it sends
// frames as they come, takes a credit for each from shared memory, and sleeps there when none is left.
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import type { Frame, TelemetrySink } from '@kworkbench/telemetry';
import { bringVariant } from '../brought-variant.js';
import { registerMechanismsOf } from '../mechanisms.js';
import type { RunMessage, WorkerInit, WorkerMessage } from './protocol.js';
import { CellError, runCell } from './run-cell.js';

const { credits, mechanismModules, variantFiles } = workerData as WorkerInit;
const creditsLeft = new Int32Array(credits);
const port = parentPort!;

const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

class PortSink implements TelemetrySink {
  idleSeconds = 0;

  header(header: Parameters<TelemetrySink['header']>[0]): void {
    send({ type: 'header', header });
  }

  frame(frame: Frame): void {
    this.#takeCredit();
    // Columns may be views into one buffer, which can be transferred only once.
    send({ type: 'frame', frame }, [...new Set(frame.columns.map((column) => column.buffer as ArrayBuffer))]);
  }

  #takeCredit(): void {
    if (Atomics.load(creditsLeft, 0) === 0) {
      const sinceMs = performance.now();
      while (Atomics.load(creditsLeft, 0) === 0) Atomics.wait(creditsLeft, 0, 0);
      this.idleSeconds += (performance.now() - sinceMs) / 1000;
    }
    Atomics.sub(creditsLeft, 0, 1);
  }
}

function run({ id, cell, frames }: RunMessage): void {
  const sink = new PortSink();
  const target: TelemetrySink = frames ? sink : { header: (header) => sink.header(header), frame() {} };
  send({ type: 'started' });
  try {
    send({ type: 'done', result: runCell(id, cell, target, () => sink.idleSeconds) });
  } catch (error) {
    const { kind, message } = error instanceof CellError ? error : new CellError('model', String(error));
    send({ type: 'failed', kind, message });
  }
}

for (const url of mechanismModules) registerMechanismsOf((await import(url)) as Record<string, unknown>);
for (const file of variantFiles) await bringVariant(file);
port.on('message', run);
