// The queue between the coordinator and the services of one mechanism: what both must agree on.
import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { withJitter } from './jitter.js';

/** BullMQ forbids ':' in names (its own separator in Redis keys). */
export function cellQueueName(mechanism: string): string {
  return `cells.${mechanism}`;
}

/** The same for a repeated submission, so that adding the job again adds nothing. */
export function cellJobId(experimentId: string, cellId: string): string {
  return `${experimentId}-${cellId}`;
}

/** One job is one cell. The content travels in the job: a service needs no database. */
export const cellJobSchema = z.object({
  experimentId: z.string().min(1),
  cellId: z.string().regex(/^[0-9a-f]{32}$/),
  cell: z.looseObject({ mechanism: z.string(), modelVersion: z.number().int() }),
  /** Wall time that the cell may take, as its scenario says. */
  timeoutMs: z.number().int().positive(),
});
export type CellJob = z.output<typeof cellJobSchema>;

/**
 * What fails is never the cell (it is pure, and its failures are results) but its surroundings: the coordinator is away,
 * a replica is being replaced. So the number of attempts is no verdict, only a bound: at one per {@link RETRY_MAX_MS}
 * this is more than three days.
 */
const JOB_ATTEMPTS = 10_000;
const RETRY_FIRST_MS = 500;
/** How late a cell may start after its surroundings are well again. */
const RETRY_MAX_MS = 30_000;
/** BullMQ's own exponential back-off has no upper bound; this name is the worker's custom strategy. */
const RETRY_STRATEGY = 'capped-exponential';
/** BullMQ's range for priorities; 1 comes first. */
const MAX_PRIORITY = 2_097_151;

/** For workers (`settings.backoffStrategy`): doubles up to a bound, with jitter so that replicas do not retry in step. */
export function retryDelayMs(attempt: number): number {
  const pause = Math.min(RETRY_FIRST_MS * 2 ** Math.min(Math.max(attempt - 1, 0), 16), RETRY_MAX_MS);
  return withJitter(pause);
}

/** Experiments of up to this many cells are a person's; what is larger is a sweep. */
const HANDFUL = 64;
/** Cells of a handful that go for one of a sweep. */
const HANDFUL_WEIGHT = 16;

/**
 * The place of cell number `index` (from 0) of an experiment of `cells` cells that comes when the queue is at `now`:
 * start-time fair queueing. Sweeps take turns, cell by cell, from the moment on at which they come; of a handful, 16
 * cells go at each turn, so that a person does not wait for a sweep, and a stream of handfuls does not stop one.
 */
export function placeInQueue(now: number, index: number, cells: number): number {
  return now + Math.floor(index / (cells <= HANDFUL ? HANDFUL_WEIGHT : 1));
}

/**
 * Options of a cell's job.
 * @param place smaller goes first; those of a place go in the order in which they came. Beyond BullMQ's range all have
 *   the same place: reached only by a queue that did not get empty for two million turns.
 */
export function cellJobOptions(job: CellJob, place: number): JobsOptions {
  return {
    jobId: cellJobId(job.experimentId, job.cellId),
    priority: Math.min(Math.max(place, 0) + 1, MAX_PRIORITY),
    attempts: JOB_ATTEMPTS,
    backoff: { type: RETRY_STRATEGY },
    // The store is the memory of what is done. A job that stayed would keep its id, and a cell that the store lacks
    // (restored from a backup, say) could then never be queued again.
    removeOnComplete: true,
    removeOnFail: true,
  };
}
