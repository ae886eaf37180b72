// Mutex convoy: `size` tasks, each on a CPU of its own, lock, hold for 10, unlock, think for 5. Asserts are on, as they
// always are, and every wait goes into the mutex's histogram. Variants: `fair` first come, first served, as the
// mutexes of SimPy and SimGrid are; `kernel` with stealing and hand-off.
import { Machine, Mutex } from '@kworkbench/machine';
import { freeMachine, Meter, parameters, report } from './shared.mjs';

const HOLD_NS = 10_000;
const THINK_NS = 5000;

const given = parameters();
const meter = new Meter(given);
const machine = new Machine(freeMachine(given.size));
const mutex = new Mutex(machine, 'convoy', { fair: given.variant === 'fair' });
let sections = 0;

function* body() {
  for (;;) {
    yield* mutex.lock();
    yield HOLD_NS;
    if (++sections === meter.next && meter.reached(machine.nowNs)) return machine.stop();
    mutex.unlock();
    yield THINK_NS;
  }
}

for (const cpu of machine.cpus) machine.spawn(`convoy ${cpu.index}`, body, { on: cpu });
machine.run(Infinity);
report(given, meter, { steals: mutex.steals });
