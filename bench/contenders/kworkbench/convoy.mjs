// Mutex convoy: `size` tasks, each on a CPU of its own, lock, hold for 10, unlock, think for 5. Asserts are on, as they
// always are. Variants: `fair` first come, first served, as the mutexes of SimPy and SimGrid are; `kernel` as the kernel's,
// with optimistic spinning, stealing and hand-off. Tasks are generators; with `-routines` state machines.
import { Machine, Mutex } from '@kworkbench/machine';
import { convoyBody } from './convoy-body.mjs';
import { freeMachine, Meter, parameters, report } from './shared.mjs';

const given = parameters();
const [kind, form] = given.variant.split('-');
const meter = new Meter(given);
const machine = new Machine(freeMachine(given.size));
const mutex = new Mutex(machine, 'convoy', { fair: kind === 'fair' });
let sections = 0;

const body = convoyBody(mutex, form, () => {
  if (++sections === meter.next && meter.reached(machine.nowNs)) machine.stop();
});
for (const cpu of machine.cpus) machine.spawn(`convoy ${cpu.index}`, body, { on: cpu });
machine.run(Infinity);
report(given, meter, { steals: mutex.steals });
