// A stream takes from the memory of its node only while it flows.
import { HardwareRates, Machine, MemoryPhase, type TaskBody, Topology } from '@kworkbench/machine';
import { expect, it } from 'vitest';
import { Stream } from './stream.js';

const MS = 1e6;

/** When a task that streams for 10 ms of work has done that, beside one that begins as well and then does `meanwhile`. */
function doneMsBeside(meanwhile: (stream: Stream) => TaskBody): number {
  const machine = new Machine({ cpus: 2, hz: 250, seed: 1, contextSwitchNs: 0 });
  const rates = new HardwareRates(machine, new Topology(2), { memoryBytesPerNs: 1 });
  const phase = new MemoryPhase(0, 1);
  let doneNs = NaN;
  machine.spawn(
    'streams',
    function* (task) {
      const stream = new Stream(rates, task, phase);
      stream.start();
      yield 10 * MS;
      stream.stop();
      doneNs = machine.nowNs;
    },
    { on: machine.cpus[0]! },
  );
  machine.spawn('other', (task) => meanwhile(new Stream(rates, task, phase)), { on: machine.cpus[1]! });
  machine.run(Infinity);
  return doneNs / MS;
}

it.each<[string, number, (stream: Stream) => TaskBody]>([
  [
    'halves the speed of another while both flow',
    20,
    function* (stream) {
      stream.start();
      yield 10 * MS;
      stream.stop();
    },
  ],
  [
    'that has been stopped takes nothing, though its task works on',
    12,
    function* (stream) {
      stream.start();
      yield 2 * MS;
      stream.stop();
      yield 50 * MS;
    },
  ],
  [
    'may be started and stopped twice, and flows again when it is started again',
    16,
    function* (stream) {
      stream.stop();
      stream.start();
      stream.start();
      yield 2 * MS;
      stream.stop();
      stream.stop();
      yield 2 * MS;
      stream.start();
      yield 4 * MS;
      stream.stop();
    },
  ],
])('a stream %s', (_, doneMs, meanwhile) => {
  expect(doneMsBeside(meanwhile)).toBeCloseTo(doneMs, 5);
});
