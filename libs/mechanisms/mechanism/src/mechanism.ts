// The one interface between a mechanism and everything above it. A mechanism knows no transport, no store and no
// report; it declares what it has (variants, schemas, profiles, metrics, published figures) as data and runs a cell.
import type { CellOutcome, TelemetrySink, TraceRecorder, Unit } from '@kworkbench/telemetry';
import type { z } from 'zod';
import type { Preemption } from '@kworkbench/machine';
import type { IdeaForm } from './idea.js';
import type { Attachable } from './instance.js';

/** Where a constant comes from. `fitted` names the rows it was fitted to; `assumed` is a stated guess. */
export type Basis = 'measured' | 'published' | 'fitted' | 'assumed';

/** CFS before Linux 6.6, EEVDF since. */
export type FairClass = 'cfs' | 'eevdf';

export interface CostConstant {
  /** camelCase with its unit as suffix, e.g. `createBaseNs`; the `<name>` of `machine.constants.<name>`. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly basis: Basis;
  /** Where the value was published or measured, or what it was fitted to. */
  readonly source: string;
  readonly help: string;
  /** Accepted range for overrides, both ends included. */
  readonly min: number;
  readonly max: number;
}

/** What is said about the kernel of a machine; its defaults where that does not matter. */
export interface MachineKernel {
  readonly fairClass?: FairClass;
  readonly preemption?: Preemption;
  /** Busy CPUs outside of readers quiesce at their tick, also in kernel code (CONFIG_PREEMPT_RCU). */
  readonly preemptRcu?: boolean;
}

/** The few physical constants of a machine, and the machine they were taken from. */
export interface CostProfile extends MachineKernel {
  readonly id: string;
  readonly title: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly hz: number;
  readonly constants: readonly CostConstant[];
}

/** One design of the mechanism: a preset of kernel options. */
export interface VariantSpec {
  readonly id: string;
  readonly title: string;
  /** The mail, commit or discussion it comes from. */
  readonly source: string;
  /** What the preset sets; the mechanism's `kernelSchema` gives the rest. */
  readonly kernel: Readonly<Record<string, unknown>>;
}

export interface MetricSpec {
  readonly name: string;
  readonly unit: Unit;
  readonly help: string;
  /** Which direction is better, for comparisons; `none` where neither is. */
  readonly better: 'lower' | 'higher' | 'none';
}

/** A figure that somebody published, and the conditions under which it was taken. */
export interface PublishedFigure {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly variant: string;
  readonly metric: string;
  /** The published value, in the metric's unit. */
  readonly expected: number;
  /** The measured median is accepted from `low` to `high`, both included. */
  readonly low: number;
  readonly high: number;
  /** Whether the model was fitted to this figure, predicts it, or was given it as input. */
  readonly basis: 'fitted' | 'predicted' | 'input';
  /**
   * False: shown with its error, without a say in the verdict. For figures that one published run gives and that vary
   * from run to run more than any tolerance would allow. Default true.
   */
  readonly gated?: boolean;
  /** Paths of the cell and the values at which the figure holds, e.g. `{ 'machine.cpus': 40 }`. */
  readonly requires: Readonly<Record<string, string | number | boolean>>;
}

export interface MachineSpec extends MachineKernel {
  readonly profile: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly hz: number;
  /** Every constant of the profile, overrides applied. */
  readonly constants: Readonly<Record<string, number>>;
}

/** The content of a cell: everything its outcome depends on, and nothing else. Its id is the hash of this. */
export interface Cell<Kernel = Readonly<Record<string, unknown>>, Workload = Readonly<Record<string, unknown>>> {
  readonly mechanism: string;
  /** Raised whenever the model's behaviour changes, so that an old result is never taken for a new one. */
  readonly modelVersion: number;
  readonly kernel: Kernel;
  readonly machine: MachineSpec;
  readonly workload: Workload;
  /** Other mechanisms on the same machine, in the order of their start; absent when there are none. */
  readonly beside?: readonly Beside[];
  /** Unsigned 32 bit. Shared by all variants and sweep points of one replication (common random numbers). */
  readonly seed: number;
}

/** A mechanism that shares the machine of a cell, so that interference can be studied. */
export interface Beside {
  /** Lower case, unique within the cell: its metrics are called `<name>_<metric>`. */
  readonly name: string;
  readonly mechanism: string;
  readonly modelVersion: number;
  readonly kernel: Readonly<Record<string, unknown>>;
  readonly workload: Readonly<Record<string, unknown>>;
  /** Its own constants; those of the machine come from the profile of the cell. */
  readonly constants: Readonly<Record<string, number>>;
}

/** Something that cannot be: the path inside the scenario's `spec`, what was expected there, and what was found. */
export interface Problem {
  readonly path: string;
  readonly expected: string;
  readonly got: unknown;
}

export interface Mechanism {
  /** Lower case; names the queue, the folder and the service. */
  readonly name: string;
  readonly title: string;
  /** It has no end of its own and no service: it only runs beside another mechanism. */
  readonly onlyBeside?: boolean;
  readonly modelVersion: number;
  readonly variants: readonly VariantSpec[];
  readonly profiles: readonly CostProfile[];
  readonly metrics: readonly MetricSpec[];
  /** Metrics that the summary shows, in its order; the default is the first few of `metrics`. */
  readonly headline?: readonly string[];
  readonly published: readonly PublishedFigure[];
  /** Kernel options and toggles with defaults; strict. Parsed output is JSON-safe (numbers, strings, booleans). */
  readonly kernelSchema: z.ZodType<Record<string, unknown>>;
  /** The workload with defaults; strict, quantities parsed to numbers in base units. */
  readonly workloadSchema: z.ZodType<Record<string, unknown>>;
  /** Cross-field impossibilities that the schemas cannot say. Empty when the cell can run. */
  check(cell: Cell): readonly Problem[];
  /** One line that says what the cell does, for the head of a summary ("50,000 unshare cycles · 1 thread"). */
  describeWorkload(cell: Cell): string;
  /**
   * Runs the cell to its end. Pure and synchronous: the same cell gives the same telemetry and outcome anywhere.
   * @param trace shows the run, and changes nothing about it.
   * @throws InvariantViolation when an invariant of the mechanism or the machine does not hold.
   */
  simulate(cell: Cell, sink: TelemetrySink, trace?: TraceRecorder): CellOutcome;
  /** Present when the mechanism can share a machine with others. */
  readonly attachable?: Attachable;
  /** Present when a person can bring a variant of it along as a file. */
  readonly ideas?: IdeaForm;
}
