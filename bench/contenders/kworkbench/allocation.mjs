// Bytes that the simulator allocates per event in steady state. Every garbage collection reports how full the heap was
// before and after it, so what was allocated between two of them is known exactly. The heap statistics that this takes
// cost a few hundred bytes a collection, which 10 M events do not notice.
// Variants: `hold-tasks`, `hold-actors`, `hold-queue`, `convoy-fair`, `convoy-kernel`.
import v8 from 'node:v8';
import { EventQueue, Machine, Mutex } from '@kworkbench/machine';
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

function convoy(fair) {
  const machine = new Machine(freeMachine(size));
  const mutex = new Mutex(machine, 'convoy', { fair });
  function* body() {
    for (;;) {
      yield* mutex.lock();
      yield 10_000;
      mutex.unlock();
      yield 5000;
    }
  }
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
  'convoy-fair': () => convoy(true),
  'convoy-kernel': () => convoy(false),
};
const run = programs[variant]();
const before = run(warmup);
const { bytes, collections, events } = allocatedBy(() => run(operations));
const counted = events - before;
console.log(
  JSON.stringify({ benchmark, size, variant, operations: counted, bytes, collections, bytesPerEvent: bytes / counted }),
);
