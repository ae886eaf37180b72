// Cells for specs, resolved as the experiment library resolves them.
import type { Cell } from '@kworkbench/mechanism';
import { type CellOutcome, MemorySink, TelemetryDigest, tee } from '@kworkbench/telemetry';
import { kernelSchema, type PadataKernel } from '../kernel.js';
import { profiles } from '../profiles.js';
import { simulate } from '../simulate.js';
import { variants } from '../variants.js';
import { workloadSchema } from '../workloads.js';

export interface CellOptions {
  readonly variant?: string;
  readonly profile?: string;
  readonly cpus?: number;
  readonly kernel?: Partial<PadataKernel>;
  readonly workload?: Readonly<Record<string, unknown>>;
  readonly constants?: Readonly<Record<string, number>>;
  readonly seed?: number;
}

export function cellOf(options: CellOptions = {}): Cell {
  const profile = profiles.find(({ id }) => id === (options.profile ?? 'xeon-8167m'))!;
  const variant = variants.find(({ id }) => id === (options.variant ?? 'parallel'))!;
  return {
    mechanism: 'padata',
    modelVersion: 2,
    kernel: kernelSchema.parse({ ...variant.kernel, ...options.kernel }),
    machine: {
      profile: profile.id,
      cpus: options.cpus ?? profile.cpus,
      memoryBytes: profile.memoryBytes,
      hz: profile.hz,
      ...(profile.fairClass && { fairClass: profile.fairClass }),
      ...(profile.preemption && { preemption: profile.preemption }),
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
