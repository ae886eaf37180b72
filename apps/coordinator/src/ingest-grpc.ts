// kworkbench.v1.TelemetryIngest: takes what services publish and commits it, a cell at a time.
//
// The answer may come early: DUPLICATE when the result is stored already, CANCELLED when the experiment is. Otherwise it
// comes after the commit, and never without one.
import { status, type sendUnaryData, type ServerReadableStream } from '@grpc/grpc-js';
import {
  MalformedMessage,
  PublishResponse_Result,
  TelemetryIngestService,
  type PublishRequest,
  type PublishResponse,
  type TelemetryIngestServer,
} from '@kworkbench/contracts';
import type { HostedService, Logger } from '@kworkbench/service-host';
import { IngestBudget } from './ingest-budget.js';
import { IncomingCell, TelemetryDamaged } from './incoming-cell.js';
import type { CoordinatorMetrics } from './metrics.js';
import type { StoreLink } from './store-link.js';
import { StoreUnavailableError, type CellCommit } from './store/index.js';

/** Telemetry of all cells that this process holds until it is stored; some dozens of the catalogue's cells. */
export const DEFAULT_BUDGET_BYTES = 128 * 2 ** 20;
/** How late a service that simulates for a cancelled experiment hears of it when another coordinator was told. */
const LOOK_FOR_CANCELLATION_MS = 2_000;

type Call = ServerReadableStream<PublishRequest, PublishResponse>;

export class Ingest {
  readonly hosted: HostedService;
  readonly #open = new Set<OpenStream>();
  readonly #budget: IngestBudget;

  constructor(
    private readonly stores: StoreLink,
    private readonly metrics: CoordinatorMetrics,
    /** Told of every cell whose outcome is stored, after it is. */
    private readonly onCell: (cellId: string) => void,
    private readonly log: Logger,
    /** A service went away in the middle of a cell. */
    private readonly onLost: (experimentId: string, cellId: string) => void = () => {},
    budgetBytes = DEFAULT_BUDGET_BYTES,
  ) {
    this.#budget = new IngestBudget(budgetBytes);
    const implementation: TelemetryIngestServer = { publish: (call, callback) => this.#publish(call, callback) };
    this.hosted = { definition: TelemetryIngestService, implementation: { ...implementation } };
  }

  /** Telemetry that waits in memory, of all streams. */
  get heldBytes(): number {
    return this.#budget.bytes;
  }

  /** Ends the streams of an experiment that was cancelled here. */
  cancelled(experimentId: string): void {
    for (const stream of this.#open) if (stream.experimentId === experimentId) stream.cancel();
  }

  #publish(call: Call, callback: sendUnaryData<PublishResponse>): void {
    const stream = new OpenStream(
      call,
      callback,
      this.stores,
      (commit) => this.#commit(commit),
      this.log,
      this.#budget,
    );
    this.#open.add(stream);
    this.metrics.openStreams.set(this.#open.size);
    void stream.over.then((frames) => {
      this.#open.delete(stream);
      this.metrics.openStreams.set(this.#open.size);
      this.metrics.frames.inc(frames);
      const { experimentId, cellId } = stream.lost ?? {};
      // Another attempt that is under way here already makes one more useless.
      const isElsewhere = [...this.#open].some((other) => other.cellId === cellId);
      if (experimentId && cellId && !isElsewhere) this.onLost(experimentId, cellId);
    });
  }

  async #commit(commit: CellCommit): Promise<PublishResponse_Result> {
    const outcome = await this.stores.use.commitCell(commit);
    this.metrics.cells.inc({ result: 'failure' in commit ? `failure_${outcome}` : outcome });
    this.log.info(
      { cellId: commit.cellId, outcome, failure: 'failure' in commit ? commit.failure : undefined },
      'cell',
    );
    this.onCell(commit.cellId);
    return outcome === 'committed' ? PublishResponse_Result.COMMITTED : PublishResponse_Result.DUPLICATE;
  }
}

class OpenStream {
  /** Resolves with the number of frames when the stream was answered or the service went away. Never rejects. */
  readonly over: Promise<number>;
  readonly #cell = new IncomingCell();
  readonly #end: (frames: number) => void;
  #answered = false;
  #committing = false;
  #timer: NodeJS.Timeout | undefined;
  #isLost = false;
  #held = 0;

  constructor(
    private readonly call: Call,
    private readonly callback: sendUnaryData<PublishResponse>,
    private readonly stores: StoreLink,
    private readonly commit: (commit: CellCommit) => Promise<PublishResponse_Result>,
    private readonly log: Logger,
    private readonly budget: IngestBudget,
  ) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.over = promise;
    this.#end = resolve;
    call.on('data', (message: PublishRequest) => this.#take(message));
    call.on('end', () => {
      // A service that gave up (shutdown, a lost race) also ends the stream; that it did is known a moment later.
      setImmediate(() => {
        if (call.cancelled) this.#gone();
        else if (!this.#committing)
          this.#refuse(new MalformedMessage('expected the end of the cell, got the end of the stream'));
      });
    });
    call.on('error', () => this.#gone());
    call.on('cancelled', () => this.#gone());
  }

  get experimentId(): string | undefined {
    return this.#cell.begin?.experimentId;
  }

  get cellId(): string | undefined {
    return this.#cell.begin?.cellId;
  }

  /** Whose service went away before an answer. */
  get lost(): { experimentId: string; cellId: string } | undefined {
    return this.#isLost ? this.#cell.begin : undefined;
  }

  setReading(reading: boolean): void {
    if (reading) this.call.resume();
    else this.call.pause();
  }

  cancel(): void {
    // What is being committed is a result that may serve another experiment: let it be.
    if (!this.#committing) this.#answer(status.CANCELLED, 'the experiment was cancelled');
  }

  #take(message: PublishRequest): void {
    if (this.#answered) return; // the service has not seen the answer yet
    try {
      const isFirst = this.#cell.begin === undefined;
      const commit = this.#cell.take(message);
      // What is being committed is held until the answer.
      if (!commit && this.#cell.bytes !== this.#held) this.budget.hold(this, (this.#held = this.#cell.bytes));
      if (isFirst) void this.#look();
      if (commit) void this.#finish(commit);
    } catch (error) {
      this.#refuse(error as Error);
    }
  }

  async #finish(commit: CellCommit): Promise<void> {
    this.#committing = true;
    try {
      this.#respond(await this.commit(commit));
    } catch (error) {
      this.#refuse(error as Error);
    }
  }

  /** Whether the cell is still wanted: at the beginning, and from time to time while frames arrive. */
  async #look(): Promise<void> {
    const { cellId, experimentId } = this.#cell.begin!;
    try {
      const store = this.stores.use;
      if (await store.hasResult(cellId)) {
        if (!this.#committing) this.#respond(PublishResponse_Result.DUPLICATE);
        return;
      }
      const experiment = experimentId === '' ? undefined : await store.getExperiment(experimentId);
      // Cancelled, or ended before this cell did (its time was over, a threshold had failed).
      if (experiment && experiment.state !== 'running') return this.cancel();
    } catch (error) {
      // Not known now. The commit will tell; simulating on loses nothing.
      this.log.debug({ err: (error as Error).message }, 'look at a publishing cell');
    }
    if (!this.#answered) this.#timer = setTimeout(() => void this.#look(), LOOK_FOR_CANCELLATION_MS);
  }

  #respond(result: PublishResponse_Result): void {
    this.#once(() => this.callback(null, { result, acknowledgedFrames: this.#cell.frames }));
  }

  #refuse(error: Error): void {
    const code = codeOf(error);
    if (!this.#answered) {
      const { cellId, instance } = this.#cell.begin ?? {};
      this.log.warn({ cellId, instance, code: status[code], reason: error.message }, 'cell not committed');
    }
    this.#answer(code, error.message);
  }

  #answer(code: status, details: string): void {
    this.#once(() => this.callback({ code, details }));
  }

  #gone(): void {
    this.#once(() => (this.#isLost = true));
  }

  #once(act: () => void): void {
    if (this.#answered) return;
    this.#answered = true;
    clearTimeout(this.#timer);
    this.budget.release(this);
    act();
    this.#end(this.#cell.frames);
  }
}

function codeOf(error: Error): status {
  if (error instanceof StoreUnavailableError) return status.UNAVAILABLE;
  if (error instanceof TelemetryDamaged) return status.DATA_LOSS;
  // The store says TypeError for telemetry that does not fit together.
  if (error instanceof MalformedMessage || error instanceof TypeError) return status.INVALID_ARGUMENT;
  return status.INTERNAL;
}
