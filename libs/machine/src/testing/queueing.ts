// An open queue on a machine, for theory: CPUs are servers, tasks are customers, arrivals are events of a Poisson process.
import { Machine } from '../machine.js';
import type { RandomStream } from '../random.js';
import { SchedClass, type TaskBody } from '../sched/task.js';

export const MEAN_SERVICE_NS = 1_000_000;
const BATCHES = 20;
/** Student's t, two-sided 99.9 %, 19 degrees of freedom. */
const T_999 = 3.883;

export type Service = 'exponential' | 'constant' | 'hyperexponential';

/** Service times with the same mean and squared coefficients of variation 1, 0 and 4. */
const SERVICE: Record<Service, (random: RandomStream) => number> = {
  exponential: (random) => random.exponential(MEAN_SERVICE_NS),
  constant: () => MEAN_SERVICE_NS,
  // Balanced means: each of the two kinds of customer brings half of the work.
  hyperexponential: (random) => {
    const short = (1 + Math.sqrt(3 / 5)) / 2;
    return random.exponential(MEAN_SERVICE_NS / (2 * (random.chance(short) ? short : 1 - short)));
  },
};

export interface Estimate {
  readonly mean: number;
  readonly halfWidth: number;
}

export interface QueueResult {
  /** Mean wait (sojourn less service) in units of the mean service time, and the half width of its 99.9 % interval. */
  readonly wait: number;
  readonly halfWidth: number;
  /** The same for the customers of each class. */
  readonly fifo: Estimate;
  readonly fair: Estimate;
  /** Time averages by areas under the curves, for Little's law. */
  readonly inSystem: number;
  readonly arrivalRate: number;
  readonly sojourn: number;
  readonly busy: number;
}

/** The mean of `values` in their order, with the half width of its 99.9 % interval by the means of 20 batches. */
export function batchMeans(values: Float64Array): Estimate {
  const perBatch = Math.floor(values.length / BATCHES);
  const means = Array.from({ length: BATCHES }, (_, batch) => {
    const part = values.subarray(batch * perBatch, (batch + 1) * perBatch);
    return part.reduce((sum, value) => sum + value, 0) / perBatch;
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / BATCHES;
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (BATCHES - 1);
  return { mean, halfWidth: T_999 * Math.sqrt(variance / BATCHES) };
}

export interface QueueOptions {
  readonly servers: number;
  /** Offered load per server, below 1. */
  readonly load: number;
  readonly service: Service;
  readonly customers: number;
  readonly sliceNs: number;
  /** This part of the customers, drawn at random, is of the FIFO class; the others are fair tasks. None by default. */
  readonly fifoShare?: number;
}

export function simulateQueue({
  servers,
  load,
  service,
  customers,
  sliceNs,
  fifoShare = 0,
}: QueueOptions): QueueResult {
  const machine = new Machine({ cpus: servers, hz: 250, seed: 7, contextSwitchNs: 0, schedSliceNs: sliceNs });
  const arrivals = machine.random('arrivals');
  const services = machine.random('services');
  const classes = machine.random('classes');
  const waits = new Float64Array(customers);
  const isFifo = new Uint8Array(customers);
  let [arrived, served, area, lastChangeNs, sojournNs] = [0, 0, 0, 0, 0];
  const change = (): void => {
    area += (arrived - served) * (machine.nowNs - lastChangeNs);
    lastChangeNs = machine.nowNs;
  };
  const arrive = machine.addActor(() => {
    change();
    const number = arrived++;
    const arrivedNs = machine.nowNs;
    const serviceNs = SERVICE[service](services);
    const body = function* (): TaskBody {
      yield serviceNs;
      change();
      served++;
      waits[number] = (machine.nowNs - arrivedNs - serviceNs) / MEAN_SERVICE_NS;
      sojournNs += machine.nowNs - arrivedNs;
    };
    if (fifoShare > 0 && classes.chance(fifoShare)) isFifo[number] = 1;
    machine.spawn('customer', body, { schedClass: isFifo[number] === 1 ? SchedClass.Fifo : SchedClass.Fair });
    if (arrived < customers) machine.schedule(arrivals.exponential(MEAN_SERVICE_NS / (load * servers)), arrive, 0);
  });
  machine.schedule(1, arrive, 0);
  machine.run(Infinity);
  const elapsedNs = machine.nowNs;
  const { mean, halfWidth } = batchMeans(waits);
  return {
    wait: mean,
    halfWidth,
    fifo: batchMeans(waits.filter((_, i) => isFifo[i] === 1)),
    fair: batchMeans(waits.filter((_, i) => isFifo[i] === 0)),
    inSystem: area / elapsedNs,
    arrivalRate: customers / elapsedNs,
    sojourn: sojournNs / customers,
    busy: machine.cpus.reduce((sum, cpu) => sum + cpu.busyNs, 0) / elapsedNs / servers,
  };
}

/** Erlang's C: the probability that a customer of M/M/c waits. */
export function erlangC(servers: number, load: number): number {
  const offered = servers * load;
  let term = 1;
  let sum = 1;
  for (let k = 1; k < servers; k++) {
    term *= offered / k;
    sum += term;
  }
  const last = (term * offered) / servers / (1 - load);
  return last / (sum + last);
}

/** Tasks that think and compute by turns for ever: how many turns a mean service time brings, with its interval. */
export function simulateClosed(servers: number, tasks: number, meanThinkNs: number, turns: number): Estimate {
  const machine = new Machine({
    cpus: servers,
    hz: 250,
    seed: 7,
    contextSwitchNs: 0,
    schedSliceNs: MEAN_SERVICE_NS / 10,
  });
  const [thinking, services] = [machine.random('thinking'), machine.random('services')];
  const endsNs: number[] = [];
  for (let i = 0; i < tasks; i++) {
    machine.spawn('user', function* () {
      while (endsNs.length < turns) {
        yield machine.sleep(thinking.exponential(meanThinkNs));
        yield services.exponential(MEAN_SERVICE_NS);
        endsNs.push(machine.nowNs);
      }
    });
  }
  machine.run(Infinity);
  const gaps = Float64Array.from({ length: turns }, (_, i) => (endsNs[i]! - (endsNs[i - 1] ?? 0)) / MEAN_SERVICE_NS);
  return batchMeans(gaps);
}

/** Mean time between turns of the same by theory: the machine repair model (M/M/c//N), in mean service times. */
export function closedGap(servers: number, tasks: number, meanThinkNs: number): number {
  const arrival = MEAN_SERVICE_NS / meanThinkNs;
  let weight = 1;
  let [sum, rate] = [1, 0];
  for (let waiting = 1; waiting <= tasks; waiting++) {
    const busy = Math.min(waiting, servers);
    weight *= (arrival * (tasks - waiting + 1)) / busy;
    sum += weight;
    rate += weight * busy;
  }
  return sum / rate;
}
