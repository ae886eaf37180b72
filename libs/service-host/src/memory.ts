// How much memory a process may take where it runs, and what follows for the cells that it runs: one that needs too much
// must end as a failed cell that says so. Killed by the kernel instead, the service loses all of its cells, and the queue
// gives the same cell to the next replica, and so on.
import { totalmem } from 'node:os';

/** The process without a cell: code, queue, gRPC and HTTP (90 MB at rest), and frames under way. */
const PROCESS_MB = 160;
/** Of a thread, beside the heap of its cell: young generation, code, stack, columns that are filled (no part of a heap). */
const THREAD_MB = 64;
/** The catalogue's cells stay below 300 MB. */
const LEAST_HEAP_MB = 320;
/** One that needs three times that is a leak, not a larger cell. */
const MOST_HEAP_MB = 1_024;

/** Bytes that the control group of this process may take (container, pod, systemd unit); nothing where none is set. */
export function memoryLimitBytes(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}

export interface Threads {
  readonly workers: number;
  /** JavaScript heap of each, MB. */
  readonly heapMb: number;
}

/**
 * The threads that fit: fewer than wanted rather than threads in which no cell of the catalogue can run, but at least
 * one, which then gets what there is.
 * @param limitBytes of the process; undefined where there is none.
 */
export function threadsThatFit(wanted: number, limitBytes: number | undefined): Threads {
  if (limitBytes === undefined) return { workers: wanted, heapMb: MOST_HEAP_MB };
  const forThreadsMb = limitBytes / 2 ** 20 - PROCESS_MB;
  const most = Math.floor(forThreadsMb / (LEAST_HEAP_MB + THREAD_MB));
  const workers = Math.max(1, Math.min(wanted, most));
  const heapMb = Math.floor(forThreadsMb / workers) - THREAD_MB;
  return { workers, heapMb: Math.max(THREAD_MB, Math.min(heapMb, MOST_HEAP_MB)) };
}
