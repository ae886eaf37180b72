// Bytes that the simulator allocates per event in steady state. Every garbage collection reports how full the heap was
// before and after it, so what was allocated between two of them is known exactly. The heap statistics that this takes
// cost a few hundred bytes a collection, which 10 M events do not notice.
// A generator's `next()` returns an object of the language, whoever calls it: bytes a resume that are no doing of ours.
import v8 from 'node:v8';
import { EventQueue, Machine, Mutex, Routine } from '@kworkbench/machine';
import { convoyBody } from './convoy-body.mjs';
import { freeMachine, holdDelays, parameters, TABLE_MASK } from './shared.mjs';

const { benchmark, size, operations, warmup, variant } = parameters();
const table = holdDelays();
let drawn = 0;

function holdQueue() {
  const events = new EventQueue();
  for (let id = 0; id < size; id++) events.push(table[drawn++ & TABLE_MASK], id, 0);
  return (count) => {
    for (let i = 0; i < count; i++) {
      events.pop();
      events.push(table[drawn++ & TABLE_MASK], events.target, 0);
    }
    return events.executed;
  };
}

function holdActors() {
  const machine = new Machine(freeMachine(1));
  const actor = machine.addActor((id) => machine.schedule(table[drawn++ & TABLE_MASK], actor, id));
  for (let id = 0; id < size; id++) machine.schedule(table[drawn++ & TABLE_MASK], actor, id);
  return upTo(machine);
}

function holdTasks() {
  const machine = new Machine(freeMachine(1));
  function* body() {
    for (;;) yield machine.sleep(table[drawn++ & TABLE_MASK]);
  }
  for (let id = 0; id < size; id++) machine.spawn('hold', body);
  return upTo(machine);
}

function holdRoutines() {
  const machine = new Machine(freeMachine(1));
  class Hold extends Routine {
    step() {
      return machine.sleep(table[drawn++ & TABLE_MASK]);
    }
  }
  for (let id = 0; id < size; id++) machine.spawn('hold', () => new Hold());
  return upTo(machine);
}

/** Timers that are cancelled half of the time, by one that is always armed again. */
function timers() {
  const machine = new Machine(freeMachine(1));
  const others = Array.from({ length: size }, () => machine.hrtimer(() => {}));
  let next = 0;
  const driver = machine.hrtimer(() => {
    others[next].start(table[drawn++ & TABLE_MASK]);
    next = (next + 1) % size;
    if ((next & 1) === 0) others[next].cancel();
    driver.start(500_000);
  });
  driver.start(1);
  return upTo(machine);
}

function convoy(fair, form) {
  const machine = new Machine(freeMachine(size));
  const mutex = new Mutex(machine, 'convoy', { fair });
  const body = convoyBody(mutex, form, () => {});
  for (const cpu of machine.cpus) machine.spawn(`convoy ${cpu.index}`, body, { on: cpu });
  return upTo(machine);
}

/** Runs a machine in virtual time until it has executed at least `count` more events; the count that it stopped at. */
function upTo(machine) {
  let sliceNs = 1e6;
  return (count) => {
    const { events } = machine;
    const end = events.executed + count;
    while (events.executed < end) {
      const before = events.executed;
      machine.run(machine.nowNs + sliceNs);
      // About a thousand slices: few enough to cost nothing, fine enough to end near the mark.
      const happened = events.executed - before;
      if (happened < count / 1000) sliceNs *= 2;
    }
    return events.executed;
  };
}

/** Bytes allocated on the heap while `work` runs. */
function allocatedBy(work) {
  const profiler = new v8.GCProfiler();
  profiler.start();
  const startBytes = v8.getHeapStatistics().used_heap_size;
  const events = work();
  const endBytes = v8.getHeapStatistics().used_heap_size;
  let bytes = 0;
  let fromBytes = startBytes;
  const { statistics } = profiler.stop();
  for (const { beforeGC, afterGC } of statistics) {
    bytes += beforeGC.heapStatistics.usedHeapSize - fromBytes;
    fromBytes = afterGC.heapStatistics.usedHeapSize;
  }
  return { bytes: bytes + endBytes - fromBytes, collections: statistics.length, events };
}

const programs = {
  'hold-queue': holdQueue,
  'hold-actors': holdActors,
  'hold-tasks': holdTasks,
  'hold-routines': holdRoutines,
  timers,
  'convoy-fair': () => convoy(true, 'generators'),
  'convoy-fair-routines': () => convoy(true, 'routines'),
  'convoy-kernel': () => convoy(false, 'generators'),
  'convoy-kernel-routines': () => convoy(false, 'routines'),
};
const run = programs[variant]();
const before = run(warmup);
const { bytes, collections, events } = allocatedBy(() => run(operations));
const counted = events - before;
console.log(
  JSON.stringify({ benchmark, size, variant, operations: counted, bytes, collections, bytesPerEvent: bytes / counted }),
);
