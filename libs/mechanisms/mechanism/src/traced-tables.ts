// The tables of a cell as counters in its trace: a track per column, a value when it has changed.
import type { TableSpec, TraceRecorder } from '@kworkbench/telemetry';

export class TracedTables {
  /** Per table, the track of each column after the first, which is time. */
  private readonly tracks: readonly (readonly number[])[];
  private readonly last: (number | undefined)[][];

  constructor(
    private readonly trace: TraceRecorder,
    tables: readonly TableSpec[],
  ) {
    const all = trace.track('telemetry');
    this.tracks = tables.map(({ name, columns }) => {
      const table = trace.track(name, all);
      return columns.slice(1).map((column) => trace.counterTrack(column.name, column.unit, table));
    });
    this.last = tables.map(() => []);
  }

  row(table: number, values: ArrayLike<number>): void {
    const timeNs = Math.round(values[0]! * 1e9);
    const last = this.last[table]!;
    this.tracks[table]!.forEach((track, i) => {
      const value = values[i + 1]!;
      if (value === last[i]) return;
      last[i] = value;
      this.trace.counter(timeNs, track, value);
    });
  }
}
