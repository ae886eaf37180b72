// The table of samples that every mechanism writes: time, and what each of its columns reads off the running system.
import type { ColumnSpec, TableSpec, Unit } from '@kworkbench/telemetry';

/** A column of samples, and how it is read at a time in ns. */
export interface Sampled<System> {
  readonly column: ColumnSpec;
  readonly read: (system: System, timeNs: number) => number;
}

export const column = (name: string, unit: Unit, help: string): ColumnSpec => ({ name, unit, help });

export const sampled = <System>(
  name: string,
  unit: Unit,
  help: string,
  read: Sampled<System>['read'],
): Sampled<System> => ({ column: column(name, unit, help), read });

/** The first column of every table. */
export const TIME = column('time_seconds', 'seconds', 'Virtual time');

export const samplesTable = (help: string, samples: readonly { readonly column: ColumnSpec }[]): TableSpec => ({
  name: 'samples',
  help,
  columns: [TIME, ...samples.map((one) => one.column)],
});

/** Gives the present state as a row of the table; the row is used again by the next call, so that sampling allocates nothing. */
export function sampleRowOf<System>(
  samples: readonly Sampled<System>[],
): (system: System, timeNs: number) => Float64Array {
  const row = new Float64Array(samples.length + 1);
  return (system, timeNs) => {
    row[0] = timeNs / 1e9;
    for (let i = 0; i < samples.length; i++) row[i + 1] = samples[i]!.read(system, timeNs);
    return row;
  };
}
