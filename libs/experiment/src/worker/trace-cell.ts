// Runs one cell once more, for its trace. A run by itself, so that the cells of an experiment are the same with a trace and
// without: the digest of the traced run tells whether that held.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Cell } from '@kworkbench/mechanism';
import type { TraceOptions, TraceSummary } from '@kworkbench/telemetry';
import type { CellFailureKind, PlannedCell } from '../cell.js';
import { CellError } from './run-cell.js';

export interface TraceCellOptions extends Omit<TraceOptions, 'title'> {
  /** Overwritten. */
  readonly file: string;
  readonly mechanismModules?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface TracedCell extends TraceSummary {
  readonly digest: string;
}

/** What the thread is given. */
export interface TraceJob extends TraceOptions {
  readonly id: string;
  readonly cell: Cell;
  readonly file: string;
  readonly mechanismModules: readonly string[];
}

export type TraceMessage =
  | { readonly type: 'done'; readonly traced: TracedCell }
  /** `kind` when it is the cell that failed. */
  | { readonly type: 'failed'; readonly kind: CellFailureKind | undefined; readonly message: string };

/** The compiled worker: beside this file, or in `dist` when this file is run from its source (tests). */
function workerUrl(): URL {
  const beside = new URL('./trace-worker.js', import.meta.url);
  return existsSync(fileURLToPath(beside)) ? beside : new URL('../../dist/worker/trace-worker.js', import.meta.url);
}

/**
 * Simulates the cell in a thread of its own and writes a trace that Perfetto opens (ui.perfetto.dev).
 * @throws CellError when the cell fails or is cancelled; Error when the file cannot be written.
 */
export async function traceCell(planned: PlannedCell, options: TraceCellOptions): Promise<TracedCell> {
  const { signal, mechanismModules = [], ...rest } = options;
  const { id, cell, variant, replication } = planned;
  const title = `${cell.mechanism} ${variant}/${replication} ${id.slice(0, 8)}`;
  const workerData: TraceJob = { ...rest, title, id, cell, mechanismModules };
  if (signal?.aborted) throw new CellError('cancelled', 'cancelled before it started');
  const worker = new Worker(workerUrl(), { workerData, execArgv: [] });
  const cancel = () => void worker.terminate();
  signal?.addEventListener('abort', cancel);
  try {
    const ended = once(worker, 'exit').then(() => {
      throw new CellError('cancelled', 'cancelled while it ran');
    });
    const [message] = (await Promise.race([once(worker, 'message'), ended])) as [TraceMessage];
    if (message.type === 'done') return message.traced;
    throw message.kind === undefined ? new Error(message.message) : new CellError(message.kind, message.message);
  } finally {
    signal?.removeEventListener('abort', cancel);
    await worker.terminate();
  }
}
