// One attempt at one cell: simulate it in a worker thread, publish what it says, wait for the coordinator's answer.
//
// Ends in exactly one of: the coordinator's answer (the job is done), HandedBack (shutdown: the job goes back to the
// queue), any other error (the surroundings failed: the job is tried again later).
import { CellError, type CellPool } from '@kworkbench/experiment';
import type { Cell, Mechanism } from '@kworkbench/mechanism';
import type { CellResultLabel, ServiceMetrics } from './metrics.js';
import type { Publication, Publisher } from './publisher.js';
import type { CellJob } from './queue.js';

/** The process shuts down before the cell was done; nothing was published. */
export class HandedBack extends Error {
  override readonly name = 'HandedBack';
}

/** This replica is of another version than the coordinator that planned the cell; another one may be right. */
export class WrongVersion extends Error {
  override readonly name = 'WrongVersion';
}

/** Why a running cell is stopped from outside. */
type StopReason = 'shutdown' | 'cancelled' | 'answered';

interface RunningCell {
  readonly stop: (reason: StopReason) => void;
}

export class CellRunner {
  readonly #running = new Map<RunningCell, string>();

  constructor(
    private readonly mechanism: Mechanism,
    private readonly pool: CellPool,
    private readonly publisher: Publisher,
    private readonly metrics: ServiceMetrics,
  ) {}

  get active(): number {
    return this.#running.size;
  }

  /** @returns whether it ran here. The coordinator is told `cancelled`. */
  cancel(cellId: string): boolean {
    const found = [...this.#running].filter(([, id]) => id === cellId);
    for (const [running] of found) running.stop('cancelled');
    return found.length > 0;
  }

  /** Stops every cell that still simulates; one that only waits for its answer gets it. */
  handBackAll(): void {
    for (const running of this.#running.keys()) running.stop('shutdown');
  }

  /** @throws HandedBack, WrongVersion, NotPublished, or what the worker thread died of. */
  async run(job: CellJob): Promise<CellResultLabel> {
    const { mechanism, modelVersion } = job.cell;
    if (mechanism !== this.mechanism.name || modelVersion !== this.mechanism.modelVersion) {
      throw new WrongVersion(
        `cell is for ${mechanism} version ${modelVersion}, this is ${this.mechanism.name} version ${this.mechanism.modelVersion}`,
      );
    }
    const abort = new AbortController();
    let stopped: StopReason | undefined;
    const running: RunningCell = {
      stop: (reason) => {
        stopped ??= reason;
        abort.abort();
      },
    };
    const publication = this.publisher.open({ ...job, mechanism }, job.timeoutMs);
    // An answer (or a broken stream) before the end makes the rest of the simulation useless.
    const early = publication.answer.catch(() => {}).then(() => running.stop('answered'));
    this.#running.set(running, job.cellId);
    this.metrics.active.set(this.active);
    try {
      return await this.#simulate(job, publication, abort.signal, () => stopped);
    } finally {
      publication.giveUp(); // no effect after the answer
      this.#running.delete(running);
      this.metrics.active.set(this.active);
      this.metrics.frames.inc(publication.framesSent);
      await early;
    }
  }

  async #simulate(
    job: CellJob,
    publication: Publication,
    signal: AbortSignal,
    stopped: () => StopReason | undefined,
  ): Promise<CellResultLabel> {
    try {
      const result = await this.pool.run(
        { id: job.cellId, cell: job.cell as unknown as Cell },
        { sink: publication, signal, timeoutMs: job.timeoutMs },
      );
      return await publication.result(result);
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      if (error.kind === 'cancelled') {
        if (stopped() === 'shutdown') throw new HandedBack('shutting down');
        if (stopped() === 'answered') return await publication.answer;
      }
      const answer = await publication.failure(error.kind, error.message);
      return answer === 'committed' ? 'failed' : answer;
    }
  }
}
