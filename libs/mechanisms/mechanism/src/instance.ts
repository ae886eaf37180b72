// One mechanism at work on a host, alone or beside others.
//
// Order: attach() wires it up and draws nothing from the clock; start() spawns its tasks; then the machine runs and
// sample() is called at its period; end() is called once, after everything on the host has finished.
import type { Tracer } from '@kworkbench/machine';
import type { HistogramSnapshot, TableSpec } from '@kworkbench/telemetry';
import type { Host, RandomOf } from './hosts/host.js';
import type { Cell } from './mechanism.js';

/** What an instance finds when it is put on a host. */
export interface Place {
  readonly host: Host;
  readonly cell: Cell;
  readonly random: RandomOf;
  /** Adds a row to one of the instance's own tables. */
  row(table: number, values: ArrayLike<number>): void;
  /** To be called whenever {@link Instance.finished} may have become true. */
  finished(): void;
}

export interface Instance {
  start(): void;
  /** Whether all that it set out to do is done. One that has no end of its own (a neighbour) is always finished. */
  readonly finished: boolean;
  /**
   * What is still to be done, in any unit: unchanged for hours while it is not finished means a lost wakeup. NaN while
   * the instance waits for what the clock will bring.
   */
  readonly outstanding: number;
  /** Ns of virtual time between two calls of {@link sample}. */
  readonly samplePeriodNs: number;
  sample(timeNs: number): void;
  /** @throws InvariantViolation when what must hold at rest does not. */
  end(): { readonly metrics: Readonly<Record<string, number>>; readonly histograms: readonly HistogramSnapshot[] };
}

/** A mechanism that can share a machine with others. */
export interface Attachable {
  /** Builds the host that the cell describes; the tracer, if there is one, goes into buildHost(). */
  host(cell: Cell, tracer?: Tracer): Host;
  readonly tables: readonly TableSpec[];
  attach(place: Place): Instance;
}
