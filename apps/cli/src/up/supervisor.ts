// Starts children in order, keeps them alive, ends them in reverse order.
import { SupervisedChild, type ChildSpec } from './child.js';

/** A cold start compiles nothing, but migrations and a busy machine take their time. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 100;

export class Supervisor {
  readonly #children: SupervisedChild[] = [];
  #stopping: Promise<void> | undefined;

  constructor(private readonly log: (name: string, line: string) => void) {}

  get pids(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(this.#children.map((child) => [child.spec.name, child.pid]));
  }

  /** Starts the group together and waits until all are ready. @returns undefined, or the line that says what failed. */
  async startGroup(specs: readonly ChildSpec[]): Promise<string | undefined> {
    const group = specs.map((spec) => new SupervisedChild(spec, this.log));
    this.#children.push(...group);
    for (const child of group) child.start();
    const failures = await Promise.all(
      group.map(async (child) => {
        const why = await child.whenReady(READY_TIMEOUT_MS, READY_POLL_MS);
        return why === undefined ? undefined : `${child.spec.name}: ${why}`;
      }),
    );
    return failures.find((failure) => failure !== undefined);
  }

  /** Resolves when a child was given up (the line that says which and why) or everything was stopped (undefined). */
  async supervise(): Promise<string | undefined> {
    const endings = this.#children.map(async (child) => {
      const why = await child.supervise();
      return why === undefined ? undefined : `${child.spec.name} ${why}`;
    });
    const stopped = Promise.all(endings).then(() => undefined);
    const givenUp = new Promise<string>((resolve) => {
      for (const ending of endings) void ending.then((why) => why !== undefined && resolve(why));
    });
    return Promise.race([givenUp, stopped]);
  }

  /** Ends the children in the reverse of their order: who uses goes before what is used. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const child of this.#children.toReversed()) await child.stop();
    })();
    return this.#stopping;
  }

  killAll(): void {
    for (const child of this.#children) child.kill();
  }
}
