// Takes cells from the queue of one mechanism and settles their jobs.
//
// - Jobs are taken only while Redis and the coordinator are there.
// - A job completes only after the coordinator has answered for its cell.
// - A failed attempt is tried again with a growing pause: the cell is pure, so only its surroundings can have failed.
// - A shutdown gives unfinished cells back at once, without burning an attempt.
// - A replica that dies keeps its locks until they run out; another replica then takes its jobs (stalled).
import { Queue, UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import { z } from 'zod';
import { HandedBack, type CellRunner } from './cell-runner.js';
import type { Logger } from './log.js';
import type { ServiceMetrics } from './metrics.js';
import { cellJobSchema, cellQueueName, retryDelayMs, type CellJob } from './queue.js';
import { RedisLink } from './redis-link.js';

/**
 * A cell never blocks the event loop (it runs in a thread), so its lock is renewed in time even on a busy machine. The
 * coordinator sees the stream of a dead replica break and queues its cell again at once; where it died as well, the cell
 * waits this long plus up to two looks for stalled jobs.
 */
const LOCK_MS = 10_000;
const LOOK_FOR_STALLED_MS = 3_000;
/** No verdict on the cell: it is the replicas that died. A cell that kills its replica dies of its memory limit first. */
const MAX_STALLED = 100;
/** After an error of Redis itself (not of the connection): BullMQ's default of 15 s is long for a person who waits. */
const PAUSE_AFTER_ERROR_MS = 1_000;
/** A scrape must not hang because Redis does. */
const COUNTS_LIMIT_MS = 1_000;

export class CellWorker {
  readonly #redis: RedisLink;
  readonly #worker: Worker<CellJob, string>;
  readonly #queue: Queue<CellJob, string>;
  #draining = false;

  constructor(
    mechanism: string,
    redisUrl: string,
    concurrency: number,
    private readonly runner: CellRunner,
    private readonly metrics: ServiceMetrics,
    private readonly log: Logger,
  ) {
    this.#redis = new RedisLink(redisUrl, 'worker', log);
    const connection = this.#redis.connection;
    const name = cellQueueName(mechanism);
    this.#queue = new Queue(name, { connection });
    this.#worker = new Worker(name, (job, token) => this.#process(job, token), {
      connection,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: LOOK_FOR_STALLED_MS,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: PAUSE_AFTER_ERROR_MS,
      settings: { backoffStrategy: retryDelayMs },
      autorun: false,
    });
    // Both say the same as the link does when Redis is away; the link says it once.
    const onError = (error: Error) => log.debug({ err: error.message }, 'queue');
    this.#queue.on('error', onError);
    this.#worker.on('error', onError);
    this.#worker.on('stalled', (jobId) => log.warn({ jobId }, 'a replica lost this cell; taking it back'));
    this.#worker.on('failed', (job, error) =>
      log.warn({ jobId: job?.id, attempt: job?.attemptsMade, reason: error.message }, 'cell will be tried again'),
    );
  }

  /**
   * Takes jobs, or lets them wait; what runs goes on. To be called with readiness: a cell that is begun while the
   * coordinator is away runs in vain and is put off, and with it, one after the other, everything in the queue.
   */
  setTaking(taking: boolean): void {
    if (this.#draining) return;
    const change = taking ? this.#worker.resume() : this.#worker.pause(true);
    change.catch((error: Error) => this.log.error({ err: error.message }, 'worker'));
  }

  redisProblem(): Promise<string | undefined> {
    return this.#redis.problem();
  }

  /** Jobs by state; empty while Redis is away. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    if (this.#redis.connection.status !== 'ready') return {};
    const late = new Promise<Record<string, number>>((resolve) => setTimeout(resolve, COUNTS_LIMIT_MS, {}).unref());
    const counts = this.#queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active').catch(() => ({}));
    return Promise.race([counts, late]);
  }

  /** Takes no new job, gives the unfinished ones back, waits for those that only want their answer. */
  async drain(): Promise<void> {
    this.#draining = true;
    // Without Redis nothing can be given back: the locks run out, and another replica takes the cells.
    const cutOff = (await this.redisProblem()) !== undefined;
    // close() first: a job that is given back must not be fetched again by this very worker.
    const closed = this.#worker.close(cutOff);
    this.runner.handBackAll();
    await closed;
    if (!cutOff) await this.#queue.close();
    this.#redis.close();
  }

  async #process(job: Job<CellJob, string>, token?: string): Promise<string> {
    if (this.#draining) return this.#giveBack(job, token);
    const started = performance.now();
    try {
      const content = cellJobSchema.safeParse(job.data);
      if (!content.success) throw new UnrecoverableError(`not a cell: ${z.prettifyError(content.error)}`);
      const result = await this.runner.run(content.data);
      const seconds = (performance.now() - started) / 1000;
      this.metrics.attemptEnded(result, seconds);
      this.log.info({ jobId: job.id, result, seconds: Number(seconds.toFixed(3)) }, 'cell');
      return result;
    } catch (error) {
      // While shutting down, whatever went wrong is for another replica to try, now and not after a pause.
      if (error instanceof HandedBack || this.#draining) return this.#giveBack(job, token);
      this.metrics.attemptEnded('retried');
      throw error;
    }
  }

  /** Moves the job from active to waiting; BullMQ counts an attempt only when a job fails or completes. */
  async #giveBack(job: Job<CellJob, string>, token: string | undefined): Promise<never> {
    await job.moveToWait(token);
    this.metrics.attemptEnded('returned');
    this.log.info({ jobId: job.id }, 'cell given back');
    throw new WaitingError();
  }
}
