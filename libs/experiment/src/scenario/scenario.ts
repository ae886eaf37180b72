// A scenario that has been checked: everything that follows can be planned from it without another error.
import type { Mechanism, PublishedFigure } from '@kworkbench/mechanism';
import type { Scalar } from '../cell.js';
import type { Condition, Threshold } from '../thresholds.js';
import type { ScenarioSpec } from './schema.js';

export interface ScenarioVariant {
  /** Unique in the scenario; what reports and thresholds call it. */
  readonly label: string;
  readonly id: string;
  readonly title: string;
  /** What the scenario sets on top of the preset. */
  readonly kernel: Readonly<Record<string, Scalar>>;
}

/** Path below `spec` to value; a key is never nested. */
export type Point = Readonly<Record<string, Scalar>>;

export interface FindSpec {
  readonly parameter: string;
  /** `from < to`, in base units. */
  readonly from: number;
  readonly to: number;
  /** Widest accepted bracket: absolute, or relative to its lower end. */
  readonly precision: { readonly kind: 'absolute' | 'relative'; readonly value: number };
  /** Only whole numbers are tried. */
  readonly integer: boolean;
  /** Labels of the variants that are searched. */
  readonly variants: readonly string[];
  readonly metric: string;
  readonly condition: Condition;
}

export interface Scenario {
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly mechanism: Mechanism;
  /** The file's spec after overrides, defaults filled in. */
  readonly spec: ScenarioSpec;
  readonly variants: readonly ScenarioVariant[];
  /** Cross product of the sweep; one empty point without a sweep. */
  readonly points: readonly Point[];
  readonly seed: number;
  readonly replications: number;
  readonly thresholds: readonly Threshold[];
  readonly published: readonly PublishedFigure[];
  readonly find: FindSpec | undefined;
  /** Wall time that a cell may take, milliseconds. */
  readonly timeoutMs: number;
  /** Wall time that the whole experiment may take, milliseconds; undefined for no limit. */
  readonly maxDurationMs: number | undefined;
  /** The effective scenario file, overrides included: parsing it gives this scenario again. */
  readonly yaml: string;
}
