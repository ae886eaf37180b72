// How many workers a job asks for, and what bound the number. Pure arithmetic.

/** What held the number of workers down; the numbers are those of the metric `workers_cap`. */
export const enum Cap {
  /** The job is too small for more: size / min_chunk. */
  Size,
  MaxThreads,
  /** CPUs that the main thread may run on. */
  Affinity,
  /** CFS bandwidth of the main thread's own group. */
  Bandwidth,
  /** All CPUs have a worker of some job. */
  Online,
  /** A helper could not be created. */
  Creation,
  /** Helpers of the caller's cgroup. */
  Pool,
}

export interface CapInputs {
  readonly size: number;
  readonly minChunk: number;
  readonly maxThreads: number;
  /** CPUs in the main thread's mask; Infinity when nobody looks. */
  readonly allowedCpus: number;
  /** {@link bandwidthCpus}; Infinity when nobody looks. */
  readonly bandwidthCpus: number;
}

export interface Request {
  /** May be 0: a quota below the period. Then one worker takes chunks, instead of the whole range at once. */
  readonly workers: number;
  readonly cap: Cap;
}

/** floor(quota / period) of the group itself, whatever its ancestors allow; Infinity without a quota. */
export function bandwidthCpus(quotaNs: number, periodNs: number): number {
  return quotaNs === Infinity ? Infinity : Math.floor(quotaNs / periodNs);
}

export function requestedWorkers(inputs: CapInputs): Request {
  const { size, minChunk, maxThreads, allowedCpus, bandwidthCpus: bandwidth } = inputs;
  let workers = Math.max(Math.floor(size / Math.max(minChunk, 1)), 1);
  let cap = Cap.Size;
  const limit = (to: number, by: Cap): void => {
    if (to >= workers) return;
    workers = to;
    cap = by;
  };
  limit(maxThreads, Cap.MaxThreads);
  limit(allowedCpus, Cap.Affinity);
  limit(bandwidth, Cap.Bandwidth);
  return { workers, cap };
}
