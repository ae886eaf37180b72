// Hold model, and the same with kernel-like increments: take the next event, schedule one in its place.
// Variants: `queue` the bare EventQueue; `actors` events that call a function; `tasks` a task per event that is a
// generator; `routines` the same written out as a state machine.
import { EventQueue, Machine, PARK, Routine } from '@kworkbench/machine';
import {
  freeMachine,
  holdDelays,
  kernelDelays,
  Meter,
  parameters,
  report,
  TABLE_MASK,
  TICK_NS,
  TO_TICK,
} from './shared.mjs';

const given = parameters();
const { benchmark, size, variant } = given;
const meter = new Meter(given);
const table = benchmark === 'hold' ? holdDelays() : kernelDelays();
let drawn = 0;
let done = 0;
let nextTickNs = TICK_NS;

/** The next delay, at the virtual time `nowNs`. */
function delay(nowNs) {
  const drawnNs = table[drawn++ & TABLE_MASK];
  if (drawnNs !== TO_TICK) return drawnNs;
  while (nextTickNs <= nowNs) nextTickNs += TICK_NS;
  return nextTickNs - nowNs;
}

function runQueue() {
  const events = new EventQueue();
  for (let id = 0; id < size; id++) events.push(delay(0), id, 0);
  for (;;) {
    events.pop();
    if (++done === meter.next && meter.reached(events.now)) return;
    events.push(delay(events.now), events.target, 0);
  }
}

function runActors() {
  const machine = new Machine(freeMachine(1));
  const actor = machine.addActor((id) => {
    if (++done === meter.next && meter.reached(machine.nowNs)) return machine.stop();
    machine.schedule(delay(machine.nowNs), actor, id);
  });
  for (let id = 0; id < size; id++) machine.schedule(delay(0), actor, id);
  machine.run(Infinity);
}

/** What a task yields to be woken after the next delay. */
function wait(machine, task) {
  const delayNs = delay(machine.nowNs);
  // sleep(0) returns at once, as it should; a wakeup at the same instant is an event like any other.
  if (delayNs > 0) return machine.sleep(delayNs);
  machine.schedule(0, task.target, ++task.sleepVersion);
  return PARK;
}

/** True when the measurement is over, and the machine stopped. */
function counted(machine) {
  if (++done !== meter.next || !meter.reached(machine.nowNs)) return false;
  machine.stop();
  return true;
}

function runTasks() {
  const machine = new Machine(freeMachine(1));
  function* body(task) {
    do yield wait(machine, task);
    while (!counted(machine));
  }
  for (let id = 0; id < size; id++) machine.spawn('hold', body);
  machine.run(Infinity);
}

function runRoutines() {
  const machine = new Machine(freeMachine(1));
  class Hold extends Routine {
    #task;
    #started = false;
    constructor(task) {
      super();
      this.#task = task;
    }
    step() {
      if (this.#started) counted(machine);
      this.#started = true;
      return wait(machine, this.#task);
    }
  }
  for (let id = 0; id < size; id++) machine.spawn('hold', (task) => new Hold(task));
  machine.run(Infinity);
}

({ queue: runQueue, actors: runActors, tasks: runTasks, routines: runRoutines })[variant]();
report(given, meter);
