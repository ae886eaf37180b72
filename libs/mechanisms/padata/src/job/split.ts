// How a job is cut into chunks (padata_do_multithreaded() and padata_work_... in kernel/padata.c). Pure arithmetic, in
// units of the job: bytes for VFIO, PFNs for deferred page init.
//
// Invariants: what is handed out is disjoint, ascending, and in the end the whole of [start, start + size); a cut inside
// lies on a multiple of the chunk, so the first chunk is short when `start` is none.
import { invariant } from '@kworkbench/machine';

/** Chunks per worker that are wanted, so that one that is slow does not hold up the rest (load_balance_factor). */
const LOAD_BALANCE_FACTOR = 4;

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/**
 * Size of a chunk.
 * @param workers that were really allocated, the main thread among them; at least 1.
 */
export function chunkSize(size: number, workers: number, minChunk: number, align: number): number {
  invariant(workers >= 1 && align >= 1, 'padata: at least one worker, and an alignment of at least 1');
  return roundUp(Math.max(Math.floor(size / (workers * LOAD_BALANCE_FACTOR)), minChunk, 1), align);
}

/** Hands out the chunks of a job, in ascending order. The caller holds the job's lock. */
export class Dispenser {
  /** Where the next chunk begins. */
  position: number;
  readonly end: number;
  handedOut = 0;
  private stopped = false;

  constructor(
    readonly start: number,
    size: number,
    readonly chunk: number,
  ) {
    this.position = start;
    this.end = start + size;
  }

  get exhausted(): boolean {
    return this.stopped || this.position === this.end;
  }

  /** Nothing is handed out any more: an error was noted. */
  stop(): void {
    this.stopped = true;
  }

  /** The length of the next chunk, which begins at the present {@link position}; 0 when there is none. */
  take(): number {
    if (this.exhausted) return 0;
    const { position, chunk } = this;
    const length = Math.min(roundUp(position + 1, chunk) - position, this.end - position);
    invariant(length > 0, 'padata: an empty chunk');
    this.position += length;
    this.handedOut++;
    return length;
  }
}
