// An open queue on a machine, for theory: CPUs are servers, tasks are customers, arrivals are events of a Poisson process.
import { Machine } from '../machine.js';
import type { RandomStream } from '../random.js';

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

export interface QueueResult {
  /** Mean wait (sojourn less service) in units of the mean service time, and the half width of its 99.9 % interval. */
  readonly wait: number;
  readonly halfWidth: number;
  /** Time averages by areas under the curves, for Little's law. */
  readonly inSystem: number;
  readonly arrivalRate: number;
  readonly sojourn: number;
  readonly busy: number;
}

/** The mean of `values` in their order, with the half width of its 99.9 % interval by the means of 20 batches. */
export function batchMeans(values: Float64Array): { mean: number; halfWidth: number } {
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
}

export function simulateQueue({ servers, load, service, customers, sliceNs }: QueueOptions): QueueResult {
  const machine = new Machine({ cpus: servers, hz: 250, seed: 7, contextSwitchNs: 0, schedSliceNs: sliceNs });
  const arrivals = machine.random('arrivals');
  const services = machine.random('services');
  const waits = new Float64Array(customers);
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
    machine.spawn('customer', function* () {
      yield serviceNs;
      change();
      served++;
      waits[number] = (machine.nowNs - arrivedNs - serviceNs) / MEAN_SERVICE_NS;
      sojournNs += machine.nowNs - arrivedNs;
    });
    if (arrived < customers) machine.schedule(arrivals.exponential(MEAN_SERVICE_NS / (load * servers)), arrive, 0);
  });
  machine.schedule(1, arrive, 0);
  machine.run(Infinity);
  const elapsedNs = machine.nowNs;
  const { mean, halfWidth } = batchMeans(waits);
  return {
    wait: mean,
    halfWidth,
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
