// Cells for specs, resolved as the experiment library resolves them.
import type { Cell } from '@kworkbench/mechanism';
import { type CellOutcome, MemorySink, TelemetryDigest, tee } from '@kworkbench/telemetry';
import { kernelSchema, type ReuseportKernel } from '../kernel.js';
import { reuseport } from '../mechanism.js';
import { ReuseportSystem } from '../model/system.js';
import type { Listener } from '../model/listener.js';
import { profiles } from '../profiles.js';
import { attachable, simulate } from '../simulate.js';
import { variants } from '../variants.js';
import { workloadSchema } from '../workloads.js';

export interface CellOptions {
  readonly variant?: string;
  readonly profile?: string;
  readonly cpus?: number;
  readonly kernel?: Partial<ReuseportKernel>;
  readonly workload?: Readonly<Record<string, unknown>>;
  readonly constants?: Readonly<Record<string, number>>;
  readonly seed?: number;
}

export function cellOf(options: CellOptions = {}): Cell {
  const profile = profiles.find(({ id }) => id === (options.profile ?? 'live618-2cpu'))!;
  const variant = variants.find(({ id }) => id === (options.variant ?? 'B0'))!;
  return {
    mechanism: 'reuseport',
    modelVersion: reuseport.modelVersion,
    kernel: kernelSchema.parse({ ...variant.kernel, ...options.kernel }),
    machine: {
      profile: profile.id,
      cpus: options.cpus ?? profile.cpus,
      memoryBytes: profile.memoryBytes,
      hz: profile.hz,
      ...(profile.fairClass && { fairClass: profile.fairClass }),
      ...(profile.preemption && { preemption: profile.preemption }),
      ...(profile.preemptRcu !== undefined && { preemptRcu: profile.preemptRcu }),
      constants: {
        ...Object.fromEntries(profile.constants.map(({ name, value }) => [name, value])),
        ...options.constants,
      },
    },
    workload: workloadSchema.parse(options.workload ?? {}),
    seed: options.seed ?? 1,
  };
}

export interface Run {
  readonly outcome: CellOutcome;
  readonly metrics: CellOutcome['metrics'];
  readonly digest: string;
  readonly telemetry: MemorySink;
}

export function run(options: CellOptions = {}): Run {
  const digest = new TelemetryDigest();
  const telemetry = new MemorySink();
  const outcome = simulate(cellOf(options), tee(digest, telemetry));
  return { outcome, metrics: outcome.metrics, digest: digest.outcome(outcome), telemetry };
}

/** What is queued where, as numbers of connections, head first. */
export type Queues = Readonly<Record<string, readonly number[]>>;

export function queueOf(sk: Listener): number[] {
  const numbers: number[] = [];
  for (let at = sk.head; at !== undefined; at = at.next) numbers.push(at.number);
  return numbers;
}

/** Runs until the listeners are closed, and stops there, before anybody accepts. */
export function runToClose(options: CellOptions): { readonly system: ReuseportSystem; readonly queues: Queues } {
  const workload = { kind: 'queues', acceptAfter: 1e6, ...options.workload };
  const cell = cellOf({ ...options, workload });
  const host = attachable.host(cell);
  const system = new ReuseportSystem({
    host,
    cell,
    random: (entity) => host.machine.random(entity),
    row: () => {},
    finished: () => {},
  });
  system.start();
  while (system.reload.reloads === 0) host.machine.run(host.machine.nowNs + 1e6);
  const live = system.stack.listeners.filter(({ listening }) => listening);
  return { system, queues: Object.fromEntries(live.map((sk) => [sk.name, queueOf(sk)])) };
}
