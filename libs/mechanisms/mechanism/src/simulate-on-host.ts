// Runs a cell on a host: the mechanism under study, and whatever the cell puts beside it.
//
// The run ends when every instance has finished; those without an end of their own run as long as the others. Tables
// and histograms of an instance beside the first are named `<its name>.<name>`, its metrics `<its name>_<name>`.
import { invariant, Tracer } from '@kworkbench/machine';
import {
  type CellOutcome,
  type HistogramSnapshot,
  TableRecorder,
  type TelemetrySink,
  type TraceRecorder,
} from '@kworkbench/telemetry';
import type { Attachable, Instance, Place } from './instance.js';
import type { Cell, Mechanism } from './mechanism.js';
import { TracedTables } from './traced-tables.js';

/** The virtual clock is exact for 104 days; a cell that has not finished by then never will. */
const LIMIT_NS = 100 * 86_400e9;

/** Something must be done within this virtual time; the longest convoys take minutes. */
const STALL_NS = 6 * 3600e9;

/** An instance to run: the mechanism, the cell as it sees it, and its name ('' for the one under study). */
export interface Part {
  readonly name: string;
  readonly mechanism: Attachable;
  readonly cell: Cell;
}

/**
 * @param parts the mechanism under study, whose host it is, then those beside it.
 * @param trace shows what CPUs, tasks and locks do, and the tables as counters.
 */
export function simulateOnHost(parts: readonly Part[], sink: TelemetrySink, trace?: TraceRecorder): CellOutcome {
  const study = parts[0]!;
  const host = study.mechanism.host(study.cell, trace && new Tracer(trace));
  const { machine } = host;
  const dotted = (part: Part, name: string): string => (part.name === '' ? name : `${part.name}.${name}`);
  const specs = parts.flatMap((part) =>
    part.mechanism.tables.map((table) => ({ ...table, name: dotted(part, table.name) })),
  );
  const recorder = new TableRecorder(sink, specs);
  const traced = trace && new TracedTables(trace, specs);
  const instances: Instance[] = [];
  const finished = (): void => {
    if (instances.every((instance) => instance.finished)) machine.stop();
  };
  let tables = 0;
  for (const { name, mechanism, cell } of parts) {
    const first = tables;
    tables += mechanism.tables.length;
    const place: Place = {
      host,
      cell,
      random: (entity) => machine.random(name === '' ? entity : `${name}/${entity}`),
      row: (table, values) => {
        recorder.row(first + table, values);
        traced?.row(first + table, values);
      },
      finished,
    };
    instances.push(mechanism.attach(place));
  }
  for (const instance of instances) machine.observe(instance.samplePeriodNs, (timeNs) => instance.sample(timeNs));
  for (const instance of instances) instance.start();
  runUntilFinished(machine, instances);

  const metrics: Record<string, number> = {};
  const histograms: HistogramSnapshot[] = [];
  instances.forEach((instance, index) => {
    const part = parts[index]!;
    const ended = instance.end();
    instance.sample(machine.nowNs);
    for (const [name, value] of Object.entries(ended.metrics)) {
      metrics[part.name === '' ? name : `${part.name}_${name}`] = value;
    }
    histograms.push(...ended.histograms.map((histogram) => ({ ...histogram, name: dotted(part, histogram.name) })));
  });
  recorder.end();
  return { metrics, histograms, virtualSeconds: machine.nowNs / 1e9, events: machine.events.executed };
}

/** A mechanism on a host of its own. */
export const simulateAlone =
  (mechanism: Attachable): Mechanism['simulate'] =>
  (cell, sink, trace) =>
    simulateOnHost([{ name: '', mechanism, cell }], sink, trace);

/** Other work on the machine never ends, so a stall is seen by its effect. */
function runUntilFinished(
  machine: { readonly nowNs: number; run(limitNs: number): boolean },
  instances: readonly Instance[],
): void {
  const left = instances.map(() => -1);
  while (!machine.run(Math.min(LIMIT_NS, machine.nowNs + STALL_NS))) {
    instances.forEach((instance, index) => {
      const stalled = !instance.finished && instance.outstanding === left[index];
      invariant(
        !stalled && machine.nowNs < LIMIT_NS,
        `no progress at ${machine.nowNs / 1e9} s with ${instance.outstanding} outstanding: a wakeup was lost`,
      );
      left[index] = instance.outstanding;
    });
  }
}
