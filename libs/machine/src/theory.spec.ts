// The machine against queueing theory: CPUs are servers, tasks are customers, arrivals are events. Seeds are fixed, so
// nothing here is chance; the bounds are 99.9 % confidence intervals over 20 batches.
import { describe, expect, it } from 'vitest';
import { Machine } from './machine.js';

const BATCHES = 20;
/** Student's t, two-sided 99.9 %, 19 degrees of freedom. */
const T_999 = 3.883;
const MEAN_SERVICE_NS = 1_000_000;

type Service = 'exponential' | 'constant';

interface Result {
  /** Mean wait in units of the mean service time, and the half width of its interval. */
  readonly wait: number;
  readonly halfWidth: number;
  /** Time averages by areas under the curves, for Little's law. */
  readonly inSystem: number;
  readonly arrivalRate: number;
  readonly sojourn: number;
  readonly busy: number;
}

function simulate(servers: number, load: number, service: Service, customers: number, sliceNs: number): Result {
  const machine = new Machine({ cpus: servers, hz: 250, seed: 7, contextSwitchNs: 0, schedSliceNs: sliceNs });
  const arrivals = machine.random('arrivals');
  const services = machine.random('services');
  const waitsNs = new Float64Array(customers);
  let arrived = 0;
  let served = 0;
  let area = 0;
  let lastChangeNs = 0;
  let sojournNs = 0;
  const change = (): void => {
    area += (arrived - served) * (machine.nowNs - lastChangeNs);
    lastChangeNs = machine.nowNs;
  };
  const arrive = machine.addActor(() => {
    change();
    const number = arrived++;
    const arrivedNs = machine.nowNs;
    const serviceNs = service === 'constant' ? MEAN_SERVICE_NS : services.exponential(MEAN_SERVICE_NS);
    machine.spawn('customer', function* () {
      yield serviceNs;
      change();
      served++;
      waitsNs[number] = machine.nowNs - arrivedNs - serviceNs;
      sojournNs += machine.nowNs - arrivedNs;
    });
    if (arrived < customers) machine.schedule(arrivals.exponential(MEAN_SERVICE_NS / (load * servers)), arrive, 0);
  });
  machine.schedule(1, arrive, 0);
  machine.run(Infinity);

  const perBatch = Math.floor(customers / BATCHES);
  const means = Array.from({ length: BATCHES }, (_, batch) => {
    let sum = 0;
    for (let i = batch * perBatch; i < (batch + 1) * perBatch; i++) sum += waitsNs[i]!;
    return sum / perBatch / MEAN_SERVICE_NS;
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / BATCHES;
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (BATCHES - 1);
  const elapsedNs = machine.nowNs;
  return {
    wait: mean,
    halfWidth: T_999 * Math.sqrt(variance / BATCHES),
    inSystem: area / elapsedNs,
    arrivalRate: customers / elapsedNs,
    sojourn: sojournNs / customers,
    busy: machine.cpus.reduce((sum, cpu) => sum + cpu.busyNs, 0) / elapsedNs / servers,
  };
}

/** Erlang's C: the probability that a customer of M/M/c waits. */
function erlangC(servers: number, load: number): number {
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

const FOREVER_NS = 1e15;

describe('queueing theory', () => {
  // Customers of one CPU in order of arrival; on several, an idle CPU takes a waiting one, so nobody waits beside an
  // idle CPU, and the mean wait does not depend on who is taken.
  it.each([
    ['M/M/1 at load 0.5', 1, 0.5, 'exponential', 1],
    ['M/M/1 at load 0.8', 1, 0.8, 'exponential', 4],
    ['M/M/2 at load 0.8', 2, 0.8, 'exponential', erlangC(2, 0.8) / (2 * 0.2)],
    ['M/M/8 at load 0.8', 8, 0.8, 'exponential', erlangC(8, 0.8) / (8 * 0.2)],
    ['M/D/1 at load 0.8', 1, 0.8, 'constant', 0.8 / (2 * 0.2)],
  ] as const)('%s: the mean wait lies in its confidence interval', (_name, servers, load, service, expected) => {
    const { wait, halfWidth } = simulate(servers, load, service, 200_000, FOREVER_NS);
    expect(halfWidth).toBeLessThan(0.2 * expected);
    expect(Math.abs(wait - expected)).toBeLessThan(halfWidth);
  });

  it('shares a CPU among exponential customers without changing their mean sojourn (M/M/1, round robin)', () => {
    const { wait, halfWidth } = simulate(1, 0.8, 'exponential', 200_000, MEAN_SERVICE_NS / 4);
    expect(Math.abs(wait - 4)).toBeLessThan(halfWidth);
  });

  it.each([
    [1, 0.8, 'exponential'],
    [4, 0.9, 'exponential'],
    [2, 0.7, 'constant'],
  ] as const)("obeys Little's law exactly: %i servers at load %d, %s service", (servers, load, service) => {
    const { inSystem, arrivalRate, sojourn } = simulate(servers, load, service, 20_000, FOREVER_NS);
    expect(inSystem / (arrivalRate * sojourn)).toBeCloseTo(1, 9);
  });

  it('is busy for the offered load', () => {
    const { busy, arrivalRate } = simulate(4, 0.6, 'constant', 50_000, FOREVER_NS);
    expect(busy).toBeCloseTo((arrivalRate * MEAN_SERVICE_NS) / 4, 9);
  });
});
