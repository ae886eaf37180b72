// The thread of one traced cell: simulates it, and writes its trace to a file as it goes.
import { closeSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { nullSink, TraceRecorder } from '@kworkbench/telemetry';
import { registerMechanismsOf } from '../mechanisms.js';
import { CellError, runCell } from './run-cell.js';
import type { TracedCell, TraceJob, TraceMessage } from './trace-cell.js';

const job = workerData as TraceJob;

function trace({ id, cell, file, ...options }: TraceJob): TracedCell {
  const handle = openSync(file, 'w');
  try {
    const recorder = new TraceRecorder(options, (bytes) => {
      for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
    });
    const { digest } = runCell(id, cell, nullSink, undefined, recorder);
    return { digest, ...recorder.finish() };
  } finally {
    closeSync(handle);
  }
}

let message: TraceMessage;
try {
  for (const url of job.mechanismModules) registerMechanismsOf((await import(url)) as Record<string, unknown>);
  message = { type: 'done', traced: trace(job) };
} catch (error) {
  message = {
    type: 'failed',
    kind: error instanceof CellError ? error.kind : undefined,
    message: (error as Error).message,
  };
}
parentPort!.postMessage(message);
