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

/** What a design that was brought along (`kwb run --variant FILE`) knows about a job, in units of the job. */
export interface JobToSplit {
  readonly size: number;
  /** That were really allocated, the main thread among them. */
  readonly workers: number;
  /** What a worker is worth its while for; a shorter chunk is allowed. */
  readonly minChunk: number;
  /** Chunks end on multiples of this, all but the last one. */
  readonly align: number;
}

/** What has not been handed out of a job. */
export interface Remaining {
  /** Above 0. */
  readonly size: number;
  /** A chunk of this length, which begins where the last one ended. Ends the cell when that cannot be. */
  take(length: number): Chunk;
}

declare const taken: unique symbol;
/** What {@link Remaining.take} returns. */
export type Chunk = number & { readonly [taken]: true };

/** A design of the cutting of one job. */
export interface JobSplit {
  /**
   * The next chunk: `return remaining.take(length)`. Called under the job's lock.
   * @param worker who asks: 0 is the main thread.
   */
  next(remaining: Remaining, worker: number): Chunk;
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
    /** Length of a chunk; of the longest one so far where a design decides. */
    public chunk: number,
    private readonly split?: { readonly design: JobSplit; readonly align: number },
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
  take(worker = 0): number {
    if (this.exhausted) return 0;
    const { position, chunk } = this;
    const length = this.split
      ? this.byDesign(this.split.design, this.split.align, worker)
      : Math.min(roundUp(position + 1, chunk) - position, this.end - position);
    invariant(length > 0, 'padata: an empty chunk');
    this.position += length;
    this.handedOut++;
    return length;
  }

  private byDesign(design: JobSplit, align: number, worker: number): number {
    const size = this.end - this.position;
    const length = design.next({ size, take: (wanted) => this.taken(wanted, align) }, worker);
    this.chunk = Math.max(this.chunk, this.taken(length, align));
    return length;
  }

  private taken(length: number, align: number): Chunk {
    const { position, end } = this;
    const fits = Number.isInteger(length) && length > 0 && position + length <= end;
    invariant(fits, `padata: a chunk of ${length}, where 1 to ${end - position} are left`);
    const aligned = position + length === end || (position + length) % align === 0;
    invariant(aligned, `padata: a chunk that ends at ${position + length}, on no multiple of ${align}`);
    return length as Chunk;
  }
}
