// Sends what a cell says to the coordinator while the cell runs: one client stream per attempt. Nothing is final before
// the answer: whoever gives up earlier starts the (pure) cell again.
//
// Order: open says which cell it is; then what the cell emits (header, frames), then `end`. The coordinator may answer at any time: early when
// the result is there already (duplicate) or nobody needs it any more (cancelled).
import { credentials, Metadata, status, type ClientWritableStream, type ServiceError } from '@grpc/grpc-js';
import {
  frameToMessage,
  outcomeToMessage,
  PublishResponse_Result,
  tablesToMessage,
  TelemetryIngestClient,
  type PublishRequest,
  type PublishResponse,
} from '@kworkbench/contracts';
import type { CellFailureKind, CellResult } from '@kworkbench/experiment';
import type { Frame, TelemetryHeader } from '@kworkbench/telemetry';
import { CHANNEL_OPTIONS } from './grpc-host.js';

/** How soon a channel looks for its coordinator again: queued jobs wait for it. */
const RECONNECT_FIRST_MS = 200;
const RECONNECT_MAX_MS = 5_000;
/**
 * From `end` to the answer the coordinator writes one transaction of at most a few hundred megabytes: seconds, on a busy
 * disk tens of seconds. Then this attempt is given up and the cell tried again.
 */
export const ANSWER_LIMIT_MS = 60_000;
/** Time that a cell may be held back by a coordinator that takes its frames slowly; it is not the cell's own time. */
const HELD_BACK_LIMIT_MS = 5 * 60_000;

export type PublishAnswer = 'committed' | 'duplicate' | 'cancelled';

export interface CellIdentity {
  readonly cellId: string;
  readonly experimentId: string;
  readonly mechanism: string;
}

/** The coordinator did not take the result; trying again is right. */
export class NotPublished extends Error {
  override readonly name = 'NotPublished';
}

export class Publisher {
  readonly #client: TelemetryIngestClient;

  constructor(
    target: string,
    /** Who says so, for the coordinator's log. */
    private readonly instance: string,
  ) {
    this.#client = new TelemetryIngestClient(target, credentials.createInsecure(), {
      ...CHANNEL_OPTIONS,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_FIRST_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    });
  }

  /** @param limitMs longest that the cell may run; the stream's deadline adds what the coordinator may take. */
  open(identity: CellIdentity, limitMs: number): Publication {
    const deadline = new Date(Date.now() + limitMs + HELD_BACK_LIMIT_MS + ANSWER_LIMIT_MS);
    return new Publication(
      (answered) => this.#client.publish(new Metadata(), { deadline }, answered),
      identity,
      this.instance,
    );
  }

  close(): void {
    this.#client.close();
  }
}

type Answered = (error: ServiceError | null, response: PublishResponse) => void;

export class Publication {
  /** Settles once, with the coordinator's answer or {@link NotPublished}. */
  readonly answer: Promise<PublishAnswer>;
  framesSent = 0;
  readonly #call: ClientWritableStream<PublishRequest>;
  #over = false;
  #room: Promise<void> | undefined;
  #limit: NodeJS.Timeout | undefined;

  constructor(
    open: (answered: Answered) => ClientWritableStream<PublishRequest>,
    { cellId, experimentId, mechanism }: CellIdentity,
    instance: string,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<PublishAnswer>();
    this.answer = promise;
    this.#call = open((error, response) => {
      this.#over = true;
      clearTimeout(this.#limit);
      if (!error) resolve(response.result === PublishResponse_Result.DUPLICATE ? 'duplicate' : 'committed');
      else if (error.code === status.CANCELLED && !this.#givenUp) resolve('cancelled');
      else reject(new NotPublished(`coordinator: ${error.details || error.message}`));
    });
    // Errors arrive in the callback above; without a listener a late one would end the process.
    this.#call.on('error', () => {});
    promise.catch(() => {});
    this.#send({ $case: 'begin', value: { cellId, experimentId, mechanism, instance } });
  }

  #givenUp = false;

  header(header: TelemetryHeader): void {
    this.#send({ $case: 'header', value: { tables: tablesToMessage(header) } });
  }

  /** @returns a promise when the stream is full: the next frame should wait for it. */
  frame(frame: Frame): Promise<void> | undefined {
    this.framesSent++;
    return this.#send({ $case: 'frame', value: frameToMessage(frame) });
  }

  /** @throws NotPublished */
  async result(result: CellResult): Promise<PublishAnswer> {
    await this.#room;
    return this.#end({
      $case: 'outcome',
      value: outcomeToMessage(result, result.digest, result.wallSeconds),
    });
  }

  /** @throws NotPublished */
  async failure(kind: CellFailureKind, message: string): Promise<PublishAnswer> {
    return this.#end({ $case: 'failure', value: { kind, message } });
  }

  /** Ends the stream without a result. The coordinator forgets what it got. */
  giveUp(): void {
    this.#givenUp = true;
    clearTimeout(this.#limit);
    this.#call.cancel();
  }

  #end(
    result: Extract<NonNullable<PublishRequest['part']>, { $case: 'end' }>['value']['result'],
  ): Promise<PublishAnswer> {
    if (!this.#over) {
      this.#send({ $case: 'end', value: { result } });
      this.#call.end();
      this.#limit = setTimeout(() => this.giveUp(), ANSWER_LIMIT_MS);
    }
    return this.answer;
  }

  #send(part: NonNullable<PublishRequest['part']>): Promise<void> | undefined {
    if (this.#over) return undefined;
    if (this.#call.write({ part })) return undefined;
    // HTTP/2 flow control: the coordinator's window is full. An answer ends the waiting as well.
    this.#room ??= Promise.race([
      new Promise<void>((resolve) => this.#call.once('drain', resolve)),
      this.answer.then(
        () => {},
        () => {},
      ),
    ]).then(() => {
      this.#room = undefined;
    });
    return this.#room;
  }
}
