// What all of our programs share: the increments, the meter, and the one line of output.
import { RandomStream } from '@kworkbench/machine';

/** Every contender draws from the same streams: one seed, one name per stream. */
export const SEED = 20210101;
const TABLE_SIZE = 65_536;
export const TABLE_MASK = TABLE_SIZE - 1;

/** `benchmark size operations warmup variant`, as run.mjs gives them. */
export function parameters() {
  const [benchmark, size, operations, warmup, variant = ''] = process.argv.slice(2);
  return { benchmark, size: Number(size), operations: Number(operations), warmup: Number(warmup), variant };
}

/**
 * Delays drawn before the clock starts, so that what is measured is the simulator and not the logarithm; every
 * contender has the same numbers, so the virtual time reached after the warm-up must be the same in all of them.
 */
export function holdDelays() {
  const stream = new RandomStream(SEED, 'hold');
  return Float64Array.from({ length: TABLE_SIZE }, () => stream.exponential(1e9));
}

export const TICK_NS = 4_000_000;
/** In the table: up to the next tick. */
export const TO_TICK = -1;

/** Half zero, 30 % exponential of 2 us, 20 % to the next tick. */
export function kernelDelays() {
  const stream = new RandomStream(SEED, 'kernel');
  return Float64Array.from({ length: TABLE_SIZE }, () => {
    const kind = stream.uniform();
    if (kind < 0.5) return 0;
    return kind < 0.8 ? stream.exponential(2000) : TO_TICK;
  });
}

/** Timeouts of 1 to 2 ms, and whether the timer is cancelled; both from the same stream. */
export function timeouts(cancelRatio) {
  const stream = new RandomStream(SEED, 'timeouts');
  const delays = new Float64Array(TABLE_SIZE);
  const cancelled = new Uint8Array(TABLE_SIZE);
  for (let i = 0; i < TABLE_SIZE; i++) {
    delays[i] = 1_000_000 + stream.below(1_000_000);
    cancelled[i] = stream.uniform() < cancelRatio ? 1 : 0;
  }
  return { delays, cancelled };
}

export const RCU_COSTS = {
  gpNs: 16e6,
  gpJitterRatio: 0,
  expeditedNs: 50_000,
  callbackNs: 1000,
  blimit: 10,
  divisor: 7,
  qhimark: 10_000,
  qlowmark: 100,
};
export const WORKQUEUE_COSTS = { workerCreateNs: 100_000, workerIdleTimeoutNs: 300e9 };

export function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A measurement is cut into so many slices of as many operations. lib/undisturbed.mjs says what for. */
const SLICES = 100;
const PACE_STEPS = 1000;
const PACE_CALLS = 1000;

/** Simple instructions that do not wait for one another: a core that somebody else uses too takes longer over them. */
function paceLoop(steps) {
  let [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6];
  for (let i = 0; i < steps; i++) {
    a = (a + b) | 0;
    b = (b ^ i) | 0;
    c = (c + 3) | 0;
    d = (d ^ c) | 0;
    e = (e + i) | 0;
    f = (f + 7) | 0;
  }
  return a ^ b ^ c ^ d ^ e ^ f;
}

/** So that the loop has an effect. */
let paceResult = 0;

/** Seconds of wall time for a fixed amount of work: the clock of a thread's CPU time is too coarse for a millisecond. */
function pace() {
  const startMs = performance.now();
  // Many short calls: one long loop would be compiled anew, while it runs, in every call.
  for (let call = 0; call < PACE_CALLS; call++) paceResult ^= paceLoop(PACE_STEPS);
  return (performance.now() - startMs) / 1000;
}

/** The warm-up comes by the meter as often as this, so that what it does is compiled into the loops before the clock runs. */
const WARMUP_STEPS = 20;

/**
 * Counts operations up to the end of the warm-up, then up to the end of each slice, and reads the CPU clock of the
 * process (compiler and collector threads included) there. Programs compare their own counter with `next`, which
 * costs one branch an operation.
 */
export class Meter {
  warmupTimeNs = NaN;
  /** CPU seconds of each slice, and the pace before each and after the last. */
  slices = [];
  paces = [];
  #warmup;
  #slice;
  #start = NaN;

  constructor({ warmup, operations }) {
    this.#warmup = warmup;
    this.next = warmup / WARMUP_STEPS;
    if (!Number.isInteger(this.next)) throw new Error(`warm-up: expected a multiple of ${WARMUP_STEPS}`);
    this.#slice = operations / SLICES;
    if (!Number.isInteger(this.#slice)) throw new Error(`operations: expected a multiple of ${SLICES}`);
    // Until the loop is compiled.
    for (let i = 0; i < 20; i++) pace();
  }

  get seconds() {
    return this.slices.reduce((sum, seconds) => sum + seconds, 0);
  }

  /** The counter has reached `next`; true when the measurement is over. */
  reached(nowNs) {
    if (this.next < this.#warmup) {
      this.next += this.#warmup / WARMUP_STEPS;
      return false;
    }
    if (Number.isNaN(this.#start)) this.warmupTimeNs = nowNs;
    else this.slices.push(cpuSeconds() - this.#start);
    this.paces.push(pace());
    if (this.slices.length === SLICES) return true;
    this.next += this.#slice;
    this.#start = cpuSeconds();
    return false;
  }
}

export function report({ benchmark, size, operations }, meter, checks) {
  const { seconds: cpuSeconds, slices, paces, warmupTimeNs } = meter;
  console.log(JSON.stringify({ benchmark, size, operations, cpuSeconds, slices, paces, warmupTimeNs, ...checks }));
}

/** A machine on which nothing costs time but what the model asks for. */
export const freeMachine = (cpus) => ({ cpus, hz: 250, seed: SEED, contextSwitchNs: 0, schedSliceNs: 3_000_000 });
