// The coordinator as the CLI talks to it: gRPC, errors worded as one line with an exit code.
import {
  CellsClient,
  ExperimentsClient,
  ExperimentState,
  type Experiment,
  outcomeFromMessage,
  type CellsClient as Cells,
  type ExperimentsClient as Client,
  type GetCellResponse,
  type ReadSeriesResponse,
} from '@kworkbench/contracts';
import { ExitCode } from '@kworkbench/experiment';
import {
  credentials,
  Metadata,
  status,
  type CallOptions,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { STANDARD_COORDINATOR } from '../coordinator-option.js';
import { CliError } from '../errors.js';

/** A coordinator on the same network answers in milliseconds; half a minute covers one that is busy storing. */
const CALL_TIMEOUT_MS = 30_000;
/** Reports carry every cell; the library's 4 MiB default is too little for a large sweep. */
const LARGEST_MESSAGE_BYTES = 256 * 1024 * 1024;

interface StoredOutcome {
  readonly outcome: ReturnType<typeof outcomeFromMessage>;
  readonly tables: GetCellResponse['tables'];
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export class Coordinator {
  readonly #client: Client;
  readonly #cells: Cells;

  private constructor(
    private readonly verb: string,
    private readonly address: string,
  ) {
    const limits = {
      'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES,
      'grpc.max_send_message_length': LARGEST_MESSAGE_BYTES,
    };
    this.#client = new ExperimentsClient(address, credentials.createInsecure(), limits);
    this.#cells = new CellsClient(address, credentials.createInsecure(), limits);
  }

  /** Does the work over one connection, and closes it. @throws CliError in one line. */
  static async use<T>(verb: string, address: string, work: (coordinator: Coordinator) => Promise<T>): Promise<T> {
    if (!/^(\[[0-9a-f:]+\]|[^\s:/]+):\d+$/i.test(address)) {
      throw new CliError(
        ExitCode.BadScenario,
        `${verb}: --coordinator: expected host:port, such as ${STANDARD_COORDINATOR}, got ${JSON.stringify(address)}`,
      );
    }
    const coordinator = new Coordinator(verb, address);
    try {
      return await work(coordinator);
    } finally {
      coordinator.#client.close();
      coordinator.#cells.close();
    }
  }

  async submit(scenario: string, sourceName: string, idempotencyKey: string): Promise<Experiment> {
    const { experiment } = await this.#call(this.#client.submit.bind(this.#client), {
      scenario,
      sourceName,
      idempotencyKey,
    });
    if (!experiment)
      throw new CliError(ExitCode.InternalError, `${this.verb}: the coordinator answered without an experiment`);
    return experiment;
  }

  get(id: string): Promise<Experiment> {
    return this.#call(this.#client.get.bind(this.#client), { id });
  }

  cancel(id: string): Promise<Experiment> {
    return this.#call(this.#client.cancel.bind(this.#client), { id });
  }

  /** The newest experiments, newest first. */
  async list(limit: number): Promise<Experiment[]> {
    const request = { limit, beforeId: '', cursor: '', scenario: '', state: ExperimentState.UNSPECIFIED };
    return (await this.#call(this.#client.list.bind(this.#client), request)).experiments;
  }

  async reportJson(id: string): Promise<string> {
    return (await this.#call(this.#client.getReport.bind(this.#client), { id })).reportJson;
  }

  /** How a cell ended, with the tables that it has; undefined when it failed. */
  async cell(cellId: string): Promise<StoredOutcome | undefined> {
    const { result, tables } = await this.#call(this.#cells.getCell.bind(this.#cells), { cellId });
    return result?.$case === 'outcome' ? { outcome: outcomeFromMessage(result.value), tables } : undefined;
  }

  /** Samples of a table, by column; thinned out to about so many, extremes kept. */
  async series(cellId: string, table: string, maxPoints: number): Promise<ReadSeriesResponse['columns']> {
    const request = { cellId, table, columns: [], maxPoints };
    return (await this.#call(this.#cells.readSeries.bind(this.#cells), request)).columns;
  }

  /** The present state, then every change, until the experiment has ended or the signal fires. */
  async *watch(id: string, signal: AbortSignal): AsyncGenerator<Experiment> {
    const stream = this.#client.watch({ id });
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const experiment of stream) yield experiment as Experiment;
    } catch (error) {
      if (!signal.aborted) throw this.#worded(error as ServiceError);
    } finally {
      signal.removeEventListener('abort', cancel);
      stream.cancel();
    }
  }

  #call<Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> {
    const deadline = Date.now() + CALL_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      method(request, new Metadata(), { deadline }, (error, response) => {
        if (error) reject(this.#worded(error));
        else resolve(response);
      });
    });
  }

  #unreachable(): CliError {
    return new CliError(
      ExitCode.BackendUnavailable,
      `${this.verb}: no coordinator at ${this.address} (start one with kwb up, or set KWB_COORDINATOR or --coordinator)`,
    );
  }

  #worded(error: ServiceError): CliError {
    switch (error.code) {
      case status.INVALID_ARGUMENT:
        return new CliError(ExitCode.BadScenario, error.details);
      case status.NOT_FOUND:
        return new CliError(ExitCode.BadScenario, `${this.verb}: ${error.details}`);
      case status.UNAVAILABLE:
        return error.details.startsWith('No connection') ? this.#unreachable() : this.#lost(error);
      case status.DEADLINE_EXCEEDED:
        return new CliError(
          ExitCode.TimedOut,
          `${this.verb}: no answer from ${this.address} within ${CALL_TIMEOUT_MS / 1000} s`,
        );
      case status.FAILED_PRECONDITION:
        return new CliError(ExitCode.BackendUnavailable, `${this.verb}: ${error.details}`);
      default:
        return this.#lost(error);
    }
  }

  #lost(error: ServiceError): CliError {
    const code = error.code === status.UNAVAILABLE ? ExitCode.BackendUnavailable : ExitCode.InternalError;
    return new CliError(code, `${this.verb}: ${this.address}: ${error.details || error.message}`);
  }
}
