// What goes between the pool and a cell worker. One cell at a time; messages arrive in the order of the telemetry.
import type { Cell } from '@kworkbench/mechanism';
import type { Frame, TelemetryHeader } from '@kworkbench/telemetry';
import type { CellFailureKind, CellResult } from '../cell.js';

/**
 * Frames that a worker may have sent without the consumer having taken them. A worker that has no credit left sleeps,
 * so a slow consumer bounds the memory of both sides to this many frames.
 */
export const FRAME_WINDOW = 8;

export interface WorkerInit {
  /** Int32Array of one element: credits left. The pool adds, the worker takes and sleeps at 0. */
  readonly credits: SharedArrayBuffer;
  /** Modules whose exported mechanisms are registered before the first cell (URLs). */
  readonly mechanismModules: readonly string[];
  /** Files of variants that were brought along. */
  readonly variantFiles: readonly string[];
}

export interface RunMessage {
  readonly id: string;
  readonly cell: Cell;
  /** Whether anybody wants the frames; the digest is taken in any case. */
  readonly frames: boolean;
}

export type WorkerMessage =
  /** The thread is up and begins with the cell: from here on time counts. */
  | { readonly type: 'started' }
  | { readonly type: 'header'; readonly header: TelemetryHeader }
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'done'; readonly result: CellResult }
  | { readonly type: 'failed'; readonly kind: CellFailureKind; readonly message: string };
