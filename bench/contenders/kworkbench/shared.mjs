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

/**
 * Counts operations up to the end of the warm-up, then up to the end of the measurement, and reads the CPU clock of the
 * process (compiler and collector threads included) at both. Programs compare their own counter with `next`, which
 * costs one branch an operation.
 */
export class Meter {
  warmupTimeNs = NaN;
  seconds = NaN;
  #operations;
  #start = NaN;

  constructor({ warmup, operations }) {
    this.next = warmup;
    this.#operations = operations;
  }

  /** The counter has reached `next`; true when the measurement is over. */
  reached(nowNs) {
    if (!Number.isNaN(this.#start)) {
      this.seconds = cpuSeconds() - this.#start;
      return true;
    }
    this.warmupTimeNs = nowNs;
    this.next += this.#operations;
    this.#start = cpuSeconds();
    return false;
  }
}

export function report({ benchmark, size, operations }, meter, checks) {
  const line = { benchmark, size, operations, cpuSeconds: meter.seconds, warmupTimeNs: meter.warmupTimeNs, ...checks };
  console.log(JSON.stringify(line));
}

/** A machine on which nothing costs time but what the model asks for. */
export const freeMachine = (cpus) => ({ cpus, hz: 250, seed: SEED, contextSwitchNs: 0, schedSliceNs: 3_000_000 });
