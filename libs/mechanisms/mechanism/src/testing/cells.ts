// Cells for the specs of a mechanism, resolved as scenarios are, and what comes out of them.
import { type CellOutcome, MemorySink, TelemetryDigest, tee } from '@kworkbench/telemetry';
import type { Instance, Place } from '../instance.js';
import { type MachineOverrides, machineOf } from '../machine-of.js';
import type { Cell, Mechanism } from '../mechanism.js';

/** What a spec says about a cell; the mechanism gives the rest. */
export interface CellOptionsOf<Kernel> extends MachineOverrides {
  readonly variant?: string;
  readonly profile?: string;
  readonly kernel?: Partial<Kernel>;
  readonly workload?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
}

export interface Run {
  readonly outcome: CellOutcome;
  readonly metrics: CellOutcome['metrics'];
  readonly digest: string;
  readonly telemetry: MemorySink;
}

/** @param standard what a cell has whose options name no variant and no profile. */
export function cellsOf<Kernel>(
  mechanism: Mechanism,
  standard: { readonly variant: string; readonly profile: string },
) {
  type Options = CellOptionsOf<Kernel>;

  function cellOf(options: Options = {}): Cell {
    const variant = mechanism.variants.find(({ id }) => id === (options.variant ?? standard.variant))!;
    const profile = mechanism.profiles.find(({ id }) => id === (options.profile ?? standard.profile))!;
    return {
      mechanism: mechanism.name,
      modelVersion: mechanism.modelVersion,
      kernel: mechanism.kernelSchema.parse({ ...variant.kernel, ...options.kernel }),
      machine: machineOf(profile, options),
      workload: mechanism.workloadSchema.parse(options.workload ?? {}),
      seed: options.seed ?? 1,
    };
  }

  function run(options: Options = {}): Run {
    const digest = new TelemetryDigest();
    const telemetry = new MemorySink();
    const outcome = mechanism.simulate(cellOf(options), tee(digest, telemetry));
    return { outcome, metrics: outcome.metrics, digest: digest.outcome(outcome), telemetry };
  }

  /** The median of a metric over some seeds. */
  function runSeeds(options: Options, seeds: readonly number[]): (metric: string) => number {
    const runs = seeds.map((seed) => run({ ...options, seed }).metrics);
    return (metric) => median(runs.map((metrics) => metrics[metric]!));
  }

  /** A system that is wired up on the host of a cell and not yet started. It stops the machine when it has finished. */
  function systemOn<System extends Instance>(cell: Cell, build: (place: Place) => System): System {
    const host = mechanism.attachable!.host(cell);
    const system: System = build({
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

  return { cellOf, run, runSeeds, systemOn };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
