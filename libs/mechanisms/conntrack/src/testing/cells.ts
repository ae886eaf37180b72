// Cells for specs, resolved as the experiment library resolves them.
import type { Cell } from '@kworkbench/mechanism';
import { type CellOutcome, MemorySink, TelemetryDigest, tee } from '@kworkbench/telemetry';
import { kernelSchema, type ConntrackKernel } from '../kernel.js';
import { conntrack } from '../mechanism.js';
import { profiles } from '../profiles.js';
import { ConntrackSystem } from '../model/system.js';
import { attachable, simulate } from '../simulate.js';
import { variants } from '../variants.js';
import { workloadSchema } from '../workloads.js';

export interface CellOptions {
  readonly variant?: string;
  readonly profile?: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly kernel?: Partial<ConntrackKernel>;
  readonly workload?: Readonly<Record<string, unknown>>;
  readonly constants?: Readonly<Record<string, number>>;
  readonly seed?: number;
}

export function cellOf(options: CellOptions = {}): Cell {
  const profile = profiles.find(({ id }) => id === (options.profile ?? 'author-2021'))!;
  const variant = variants.find(({ id }) => id === (options.variant ?? 'before'))!;
  return {
    mechanism: 'conntrack',
    modelVersion: conntrack.modelVersion,
    kernel: kernelSchema.parse({ ...variant.kernel, ...options.kernel }),
    machine: {
      profile: profile.id,
      cpus: options.cpus ?? profile.cpus,
      memoryBytes: options.memoryBytes ?? profile.memoryBytes,
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

/** The system itself, wired up on its host and not yet started. It stops the machine when it has finished. */
export function systemOf(options: CellOptions = {}): ConntrackSystem {
  const cell = cellOf(options);
  const host = attachable.host(cell);
  const system: ConntrackSystem = new ConntrackSystem({
    host,
    cell,
    random: (entity) => host.machine.random(entity),
    row: () => {},
    finished: () => {
      if (system.finished) host.machine.stop();
    },
  });
  return system;
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

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The metrics of some seeds, and the median of one of them. */
export function runSeeds(options: CellOptions, seeds: readonly number[]): (metric: string) => number {
  const runs = seeds.map((seed) => run({ ...options, seed }).metrics);
  return (metric) => median(runs.map((metrics) => metrics[metric]!));
}
