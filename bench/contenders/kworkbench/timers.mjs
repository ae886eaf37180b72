// Timers that are mostly cancelled: every microsecond one timer of 1 to 2 ms is armed; in variants that end in 80, four
// of five are cancelled 500 us later. The same arrivals and timeouts either way.
// `hrtimers`: the machine's high-resolution timers. `actors`: an event that is not taken back, but whose argument is out
// of date when it fires. `tasks`: a pool of tasks that sleep, and are woken to cancel.
import { Machine, PARK } from '@kworkbench/machine';
import { freeMachine, Meter, parameters, report, TABLE_MASK, timeouts } from './shared.mjs';

const STEP_NS = 1000;
const CANCEL_AFTER_STEPS = 500;
/** At most 2000 timers are pending, one a step. */
const SLOTS = 2048;

const given = parameters();
const [form, cancelPercent] = given.variant.split('-');
const meter = new Meter(given);
const { delays, cancelled } = timeouts(Number(cancelPercent) / 100);
const machine = new Machine(freeMachine(1));
let step = 0;
let fired = 0;
let cancels = 0;

/** Arms the timer of each step, and cancels the one that is due for it. */
function drive(arm, cancel) {
  const driver = machine.addActor(() => {
    const before = step - CANCEL_AFTER_STEPS;
    if (before >= 0 && cancelled[before & TABLE_MASK] === 1) {
      cancel(before & (SLOTS - 1));
      cancels++;
    }
    arm(step & (SLOTS - 1), delays[step & TABLE_MASK]);
    if (++step === meter.next && meter.reached(machine.nowNs)) return machine.stop();
    machine.schedule(STEP_NS, driver, 0);
  });
  machine.schedule(STEP_NS, driver, 0);
}

function hrtimers() {
  const timers = Array.from({ length: SLOTS }, () => machine.hrtimer(() => fired++));
  drive(
    (slot, delayNs) => timers[slot].start(delayNs),
    (slot) => timers[slot].cancel(),
  );
}

function actors() {
  const stamps = new Int32Array(SLOTS);
  const timer = machine.addActor((argument) => {
    if (argument >>> 11 === (stamps[argument & (SLOTS - 1)] & 0xf_ffff)) fired++;
  });
  drive(
    (slot, delayNs) => machine.schedule(delayNs, timer, ((++stamps[slot] & 0xf_ffff) << 11) | slot),
    (slot) => stamps[slot]++,
  );
}

function tasks() {
  const delayOf = new Float64Array(SLOTS);
  const isCancelled = new Uint8Array(SLOTS);
  const sleepers = Array.from({ length: SLOTS }, (_, slot) =>
    machine.spawn(`timer ${slot}`, () => sleeper(slot), { asleep: true }),
  );
  function* sleeper(slot) {
    for (;;) {
      yield machine.sleep(delayOf[slot]);
      if (isCancelled[slot] === 0) fired++;
      isCancelled[slot] = 0;
      yield PARK;
    }
  }
  drive(
    (slot, delayNs) => {
      delayOf[slot] = delayNs;
      machine.wake(sleepers[slot]);
    },
    (slot) => {
      isCancelled[slot] = 1;
      machine.wake(sleepers[slot]);
    },
  );
}

({ hrtimers, actors, tasks })[form]();
machine.run(Infinity);
report(given, meter, { fired, cancels });
