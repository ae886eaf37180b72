// Runs a netns cell: build the system, let it run until everything is torn down, read the metrics.
import { invariant } from '@kworkbench/machine';
import type { Cell } from '@kworkbench/mechanism';
import { type CellOutcome, TableRecorder, type TelemetrySink } from '@kworkbench/telemetry';
import { metricsOf } from './model/metrics-of.js';
import { type NetnsCell, NetnsSystem } from './model/system.js';
import { PASSES, passRow, SAMPLE_PERIOD_NS, sampleRow, SAMPLES, tables } from './model/telemetry.js';

/** The virtual clock is exact for 104 days; a cell that has not drained by then never will. */
const LIMIT_NS = 100 * 86_400e9;

/** After the loop something must be torn down within this virtual time; the longest convoys take minutes. */
const STALL_NS = 6 * 3600e9;

/** I8: progress until everything is gone. Other work on the machine never ends, so a stall is seen by its effect. */
function runUntilDrained(system: NetnsSystem): void {
  const { machine, namespaces, fragment } = system;
  let left = -1;
  while (!machine.run(Math.min(LIMIT_NS, machine.nowNs + STALL_NS))) {
    const leftNow = namespaces.outstanding + fragment.pending;
    const stalled = system.loopEndNs >= 0 && leftNow === left;
    invariant(
      !stalled && machine.nowNs < LIMIT_NS,
      `I8: no progress at ${machine.nowNs / 1e9} s with ${namespaces.outstanding} namespaces and ${fragment.pending} ` +
        `fqdirs outstanding: a wakeup was lost`,
    );
    left = leftNow;
  }
}

export function simulate(cell: Cell, sink: TelemetrySink): CellOutcome {
  const recorder = new TableRecorder(sink, tables);
  const system = new NetnsSystem(cell as NetnsCell, (pass) => recorder.row(PASSES, passRow(pass)));
  const { machine, namespaces, fragment, nsMemory } = system;
  machine.observe(SAMPLE_PERIOD_NS, (timeNs) => recorder.row(SAMPLES, sampleRow(system, timeNs)));
  system.start();
  runUntilDrained(system);
  invariant(namespaces.created === namespaces.freed, 'I1: namespaces created and freed differ after the drain');
  invariant(fragment.refs === 0, 'I15: references on inet_frags after the drain');
  invariant((system.barrier.sequence & 1) === 0, 'I9: the barrier sequence is odd at rest');
  const outcome = metricsOf(system);
  invariant(
    outcome.mem_leaked_bytes === 0 && nsMemory.fqdir.objects === 0,
    `I1: ${outcome.mem_leaked_bytes} bytes were not given back`,
  );
  recorder.row(SAMPLES, sampleRow(system, machine.nowNs));
  recorder.end();
  return {
    metrics: outcome,
    histograms: [system.loop.latencyNs.snapshot(), system.barrier.waitNs.snapshot()],
    virtualSeconds: machine.nowNs / 1e9,
    events: machine.events.executed,
  };
}
