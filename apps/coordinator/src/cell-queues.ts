// The queues of cells, one per mechanism, seen from the side that fills them.
//
// Plain jobs and no BullMQ flow with the experiment as parent. A flow keeps in Redis which cells are missing, and the
// store keeps it as well; after a lost Redis (or a restored database) the two disagree, and the flow can neither be
// repaired nor added again under its id while its parent waits. Nor does its number of children fit: cells that are
// stored already are never queued, and a later round adds cells to an experiment whose first children have completed.
// So the store alone knows what is missing, and a job is only a wish that a cell be run: it may be lost or doubled.
import {
  cellJobId,
  cellJobOptions,
  placeInQueue,
  cellQueueName,
  type CellJob,
  type Logger,
  RedisLink,
} from '@kworkbench/service-host';
import type { PlannedCell } from '@kworkbench/experiment';
import { Queue } from 'bullmq';

/** Jobs added at once: BullMQ adds 3,300 a second one after the other, 21,000 with a hundred under way. */
const ADDS_IN_FLIGHT = 100;
/** A person waits for the answer to a submission; Redis answers in a millisecond or is not well. */
const ANSWER_LIMIT_MS = 5_000;

/** Redis cannot be reached or does not answer; trying again later is right. */
export class QueueUnavailableError extends Error {
  override readonly name = 'QueueUnavailableError';
}

export class CellQueues {
  readonly #link: RedisLink;
  readonly #queues = new Map<string, Queue<CellJob>>();

  constructor(
    redisUrl: string,
    mechanisms: Iterable<string>,
    private readonly log: Logger,
  ) {
    this.#link = new RedisLink(redisUrl, 'producer', log);
    for (const mechanism of mechanisms) this.#queue(mechanism);
  }

  problem(): Promise<string | undefined> {
    return this.#link.problem();
  }

  /**
   * Makes sure that there is a job for each cell. Adds nothing where there is one: with `add()`, not `addBulk()`, since
   * only that tells a job id that exists.
   * @param timeoutMs wall time that a cell may take.
   * @throws QueueUnavailableError
   */
  async ensure(experimentId: string, cells: readonly PlannedCell[], timeoutMs: number): Promise<void> {
    const mechanism = cells[0]?.cell.mechanism;
    if (mechanism === undefined) return;
    const now = await this.#now(mechanism);
    await this.#each(cells, async ({ id, cell }, index) => {
      const job: CellJob = { experimentId, cellId: id, cell: { ...cell }, timeoutMs };
      await this.#queue(cell.mechanism).add('cell', job, cellJobOptions(job, placeInQueue(now, index, cells.length)));
    });
  }

  /** Jobs of a mechanism that wait or run: when they are fewer than the missing cells, some were lost. */
  async held(mechanism: string): Promise<number> {
    const counts = await this.#asked(() =>
      this.#queue(mechanism).getJobCounts('waiting', 'prioritized', 'delayed', 'active'),
    );
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /**
   * Lets another replica take a cell whose service is gone, before its lock runs out: one more job beside the one that
   * nobody works on. Whichever comes second finds the result there.
   */
  async again(experimentId: string, { id, cell }: PlannedCell, timeoutMs: number): Promise<boolean> {
    return this.#asked(async () => {
      const queue = this.#queue(cell.mechanism);
      const first = await queue.getJob(cellJobId(experimentId, id));
      // Given back in order, or put off: it waits for a replica already.
      if (first === undefined || (await first.getState()) !== 'active') return false;
      const job: CellJob = { experimentId, cellId: id, cell: { ...cell }, timeoutMs };
      const options = cellJobOptions(job, await this.#now(cell.mechanism));
      await queue.add('cell', job, { ...options, jobId: `${options.jobId}-${Date.now().toString(36)}` });
      return true;
    });
  }

  /** Where the queue is: the place of the job that goes next. A queue that is empty begins anew. */
  async #now(mechanism: string): Promise<number> {
    const [head] = await this.#asked(() => this.#queue(mechanism).getPrioritized(0, 0));
    return Math.max((head?.priority ?? 1) - 1, 0);
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    const problem = await this.problem();
    if (problem !== undefined) throw new QueueUnavailableError(problem);
    return this.#inTime(ask());
  }

  /** Takes back the jobs that no service has begun. A running one is stopped by the answer to its stream. */
  async withdraw(experimentId: string, cells: readonly PlannedCell[]): Promise<void> {
    await this.#each(cells, async ({ id, cell }) => {
      await this.#queue(cell.mechanism).remove(cellJobId(experimentId, id));
    });
  }

  /** BullMQ's own counts of all queues as Prometheus text; empty while Redis is away. */
  async metricsText(): Promise<string> {
    if ((await this.problem()) !== undefined) return '';
    const texts = await this.#inTime(
      Promise.all([...this.#queues.values()].map((queue) => queue.exportPrometheusMetrics())),
    ).catch(() => []);
    return onceEachHead(texts.join('\n'));
  }

  async close(): Promise<void> {
    // Without Redis there is nothing to say goodbye to, and BullMQ would wait for it.
    if ((await this.problem()) === undefined) {
      await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => {})));
    }
    this.#link.close();
  }

  #queue(mechanism: string): Queue<CellJob> {
    let queue = this.#queues.get(mechanism);
    if (!queue) {
      queue = new Queue<CellJob>(cellQueueName(mechanism), { connection: this.#link.connection });
      queue.on('error', (error) => this.log.debug({ err: error.message }, 'queue'));
      this.#queues.set(mechanism, queue);
    }
    return queue;
  }

  async #each(cells: readonly PlannedCell[], act: (cell: PlannedCell, index: number) => Promise<void>): Promise<void> {
    const problem = await this.problem();
    if (problem !== undefined) throw new QueueUnavailableError(problem);
    for (let from = 0; from < cells.length; from += ADDS_IN_FLIGHT) {
      await this.#inTime(
        Promise.all(cells.slice(from, from + ADDS_IN_FLIGHT).map((cell, index) => act(cell, from + index))),
      );
    }
  }

  /** A queue that has never been connected waits without end; nobody who asks does. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new QueueUnavailableError(`Redis: no answer within ${ANSWER_LIMIT_MS} ms`);
      timer = setTimeout(() => reject(error), ANSWER_LIMIT_MS);
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      throw error instanceof QueueUnavailableError
        ? error
        : new QueueUnavailableError(`Redis: ${(error as Error).message}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** HELP and TYPE of a metric may stand only once in an exposition, and each queue writes them. */
function onceEachHead(text: string): string {
  const seen = new Set<string>();
  const samples = new Map<string, string[]>();
  let metric = '';
  for (const line of text.split('\n')) {
    const head = /^# (?:HELP|TYPE) (\S+)/.exec(line);
    metric = head?.[1] ?? line.split(/[{ ]/)[0]!;
    if (line === '' || (head && seen.has(line))) continue;
    seen.add(line);
    samples.set(metric, [...(samples.get(metric) ?? []), line]);
  }
  return [...samples.values()].flat().join('\n') + (samples.size > 0 ? '\n' : '');
}
