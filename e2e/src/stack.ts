// Redis, PostgreSQL, the coordinator, netns services and one of each other mechanism as containers on one network.
import { GenericContainer, Network, Wait, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import { IMAGES } from './docker.js';

const START_TIMEOUT_MS = 60_000;
/** The services give their cells back within this. */
const STOP_TIMEOUT_MS = 15_000;
const PASSWORD = 'only-for-tests';
const GRPC_PORT = 50_051;
const HTTP_PORT = 8080;

export class Stack {
  readonly #started: StartedTestContainer[] = [];
  #network: StartedNetwork | undefined;
  #coordinator: StartedTestContainer | undefined;

  /** Starts everything; on a failure whatever had started is removed again. */
  static async start(services: number): Promise<Stack> {
    const stack = new Stack();
    try {
      await stack.#start(services);
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  get grpcAddress(): string {
    return `${this.#coordinator!.getHost()}:${this.#coordinator!.getMappedPort(GRPC_PORT)}`;
  }

  get httpUrl(): string {
    return `http://${this.#coordinator!.getHost()}:${this.#coordinator!.getMappedPort(HTTP_PORT)}`;
  }

  get containerIds(): string[] {
    return this.#started.map((container) => container.getId());
  }

  get networkId(): string {
    return this.#network!.getId();
  }

  /** Removes containers, volumes and the network; a second call does nothing. */
  async stop(): Promise<void> {
    // Services before what they depend on, so that their last words are not complaints.
    for (const container of this.#started.splice(0).toReversed()) {
      await container.stop({ timeout: STOP_TIMEOUT_MS, remove: true, removeVolumes: true });
    }
    await this.#network?.stop();
    this.#network = undefined;
  }

  async #start(services: number): Promise<void> {
    this.#network = await new Network().start();
    await Promise.all([this.#redis(), this.#postgres()]);
    this.#coordinator = await this.#service('coordinator', HTTP_PORT, GRPC_PORT, {
      KWB_DATABASE_URL: `postgres://kworkbench:${PASSWORD}@postgres:5432/kworkbench`,
    });
    await Promise.all(
      [
        ...Array.from({ length: services }, () => 'netns-teardown'),
        'conntrack-cleaner',
        'ipvs-estimator',
        'padata-helpers',
        'reuseport-migrator',
      ].map((name) =>
        this.#service(name, 8081, 50_052, {
          KWB_COORDINATOR_GRPC: `coordinator:${GRPC_PORT}`,
          KWB_WORKERS: '1',
        }),
      ),
    );
  }

  #redis(): Promise<StartedTestContainer> {
    return this.#keep(
      new GenericContainer(IMAGES.redis)
        .withNetworkAliases('redis')
        .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
        .withWaitStrategy(Wait.forSuccessfulCommand('redis-cli ping')),
    );
  }

  #postgres(): Promise<StartedTestContainer> {
    return this.#keep(
      new GenericContainer(IMAGES.postgres)
        .withNetworkAliases('postgres')
        .withEnvironment({ POSTGRES_USER: 'kworkbench', POSTGRES_DB: 'kworkbench', POSTGRES_PASSWORD: PASSWORD })
        .withWaitStrategy(Wait.forSuccessfulCommand('pg_isready --host=127.0.0.1 --username=kworkbench')),
    );
  }

  #service(
    app: string,
    httpPort: number,
    grpcPort: number,
    environment: Record<string, string>,
  ): Promise<StartedTestContainer> {
    return this.#keep(
      new GenericContainer(IMAGES.kworkbench)
        .withNetworkAliases(app)
        .withCommand([`apps/${app}/dist/main.js`])
        .withEnvironment({
          KWB_HTTP_PORT: String(httpPort),
          KWB_GRPC_PORT: String(grpcPort),
          KWB_REDIS_URL: 'redis://redis:6379',
          ...environment,
        })
        .withExposedPorts(httpPort, grpcPort)
        .withWaitStrategy(Wait.forHttp('/readyz', httpPort)),
    );
  }

  async #keep(container: GenericContainer): Promise<StartedTestContainer> {
    const started = await container.withNetwork(this.#network!).withStartupTimeout(START_TIMEOUT_MS).start();
    this.#started.push(started);
    return started;
  }
}
