// A gRPC server with what every one of ours has: health (grpc.health.v1), reflection, keepalive, an end.
//
// Nest's own gRPC transport is not used: it hands a client stream over as an observable that nobody can slow down, and
// the telemetry of a cell must not pile up in memory. The handlers are Nest providers all the same.
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { fileDescriptorSet } from '@kworkbench/contracts';
import { HealthImplementation } from 'grpc-health-check';

/** Larger than any frame (a frame is bounded by rows x columns x 8 bytes) and any report. */
export const MAX_MESSAGE_BYTES = 64 * 2 ** 20;
/** A peer that vanished without a word is noticed after this and the time-out. */
export const KEEPALIVE_MS = 20_000;
export const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Channel options that both ends use. */
export const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  // Statistics of every message and stream that nothing here offers.
  'grpc.enable_channelz': 0,
} as const;

export interface HostedService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

export class GrpcHost {
  readonly #server = new Server(CHANNEL_OPTIONS);
  readonly #health: HealthImplementation;
  readonly #names: readonly string[];

  constructor(services: readonly HostedService[]) {
    for (const { definition, implementation } of services) this.#server.addService(definition, implementation);
    // '' is the server as a whole, the names are those that a client would ask for: `kworkbench.v1.Mechanism`.
    this.#names = ['', ...services.map(({ definition }) => serviceName(definition))];
    this.#health = new HealthImplementation(Object.fromEntries(this.#names.map((name) => [name, 'NOT_SERVING'])));
    this.#health.addToServer(this.#server);
    new ReflectionService(loadFileDescriptorSetFromBuffer(fileDescriptorSet())).addToServer(this.#server);
  }

  setServing(serving: boolean): void {
    for (const name of this.#names) this.#health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  /** @returns the port, which is another one when 0 was asked for. @throws when the address is taken. */
  listen(address: string, port: number): Promise<number> {
    const target = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    return new Promise((resolve, reject) =>
      this.#server.bindAsync(target, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(new Error(`cannot listen on ${target}: ${error.message}`)) : resolve(bound),
      ),
    );
  }

  /** Lets calls in flight end, up to `limitMs`; then cuts them off. */
  async close(limitMs: number): Promise<void> {
    const cut = setTimeout(() => this.#server.forceShutdown(), limitMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(cut);
  }
}

function serviceName(definition: ServiceDefinition): string {
  const [method] = Object.values(definition);
  return method!.path.split('/')[1]!;
}
