// Asks a gRPC server whether it is there, by the standard health service.
import { credentials, makeGenericClientConstructor, type Client, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { CHANNEL_OPTIONS } from './grpc-host.js';

/** A server that does not answer its health check within this is not one to work with. */
const ANSWER_LIMIT_MS = 1_000;

type HealthClient = Client & {
  check(
    request: { service: string },
    options: { deadline: Date },
    callback: (error: ServiceError | null, answer?: { status: string }) => void,
  ): void;
};
// The health package is typed against its own copy of the proto-loader types.
const HealthClientConstructor = makeGenericClientConstructor(healthService as never, 'Health');

export class GrpcProbe {
  readonly #client: HealthClient;

  constructor(private readonly target: string) {
    this.#client = new HealthClientConstructor(
      target,
      credentials.createInsecure(),
      CHANNEL_OPTIONS,
    ) as unknown as HealthClient;
  }

  /** Undefined when the server answers SERVING, else one line that says why not. Never rejects. */
  problem(what: string): Promise<string | undefined> {
    return new Promise((resolve) =>
      this.#client.check({ service: '' }, { deadline: new Date(Date.now() + ANSWER_LIMIT_MS) }, (error, answer) => {
        if (error) resolve(`${what} at ${this.target}: ${reasonOf(error)}`);
        else if (answer?.status !== 'SERVING') resolve(`${what} at ${this.target}: is not ready (${answer?.status})`);
        else resolve(undefined);
      }),
    );
  }

  close(): void {
    this.#client.close();
  }
}

/** What grpc-js says of a connection that failed, without its frame: `connect ECONNREFUSED 127.0.0.1:50051`. */
function reasonOf(error: ServiceError): string {
  const text = error.details || error.message;
  return /Last error: (?:Error: )?(.*?)\.? Resolution note:/.exec(text)?.[1] ?? text;
}
