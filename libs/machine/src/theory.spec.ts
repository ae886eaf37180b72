// The machine against queueing theory. Seeds are fixed, so nothing here is chance; the bounds are 99.9 % confidence
// intervals over 20 batches.
import { describe, expect, it } from 'vitest';
import { closedGap, erlangC, MEAN_SERVICE_NS, simulateClosed, simulateQueue } from './testing/queueing.js';

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
    const { wait, halfWidth } = simulateQueue({ servers, load, service, customers: 100_000, sliceNs: FOREVER_NS });
    expect(halfWidth).toBeLessThan(0.3 * expected);
    expect(Math.abs(wait - expected)).toBeLessThan(halfWidth);
  });

  // Pollaczek and Khinchin for customers in order of arrival; by sharing, the mean does not depend on the distribution.
  it.each([
    ['constant', 0],
    ['exponential', 1],
    ['hyperexponential', 4],
  ] as const)(
    'M/G/1 with %s service: in order of arrival the variance counts, by sharing it does not',
    (service, scv) => {
      const load = 0.6;
      const customers = 30_000;
      const inOrder = simulateQueue({ servers: 1, load, service, customers, sliceNs: FOREVER_NS });
      expect(Math.abs(inOrder.wait - ((load / (1 - load)) * (1 + scv)) / 2)).toBeLessThan(inOrder.halfWidth);
      const shared = simulateQueue({ servers: 1, load, service, customers, sliceNs: MEAN_SERVICE_NS / 20 });
      expect(shared.halfWidth).toBeLessThan(0.3 * (load / (1 - load)));
      expect(Math.abs(shared.wait - load / (1 - load))).toBeLessThan(shared.halfWidth);
    },
  );

  it('M/M/1 with preemptive priorities: FIFO tasks wait as if alone, fair ones by the formula of two classes', () => {
    const [load, fifoShare] = [0.7, 0.5];
    const high = load * fifoShare;
    const options = { servers: 1, load, service: 'exponential', customers: 60_000, sliceNs: FOREVER_NS } as const;
    const { fifo, fair } = simulateQueue({ ...options, fifoShare });
    expect(Math.abs(fifo.mean - high / (1 - high))).toBeLessThan(fifo.halfWidth);
    const fairWait = 1 / ((1 - high) * (1 - load)) - 1;
    expect(fair.halfWidth).toBeLessThan(0.25 * fairWait);
    expect(Math.abs(fair.mean - fairWait)).toBeLessThan(fair.halfWidth);
  });

  it.each([
    [1, 6, 4],
    [2, 6, 1],
    [4, 30, 9],
  ])(
    'M/M/%i//%i: tasks that think for %d service times and compute by turns are served at the rate of theory',
    (...row) => {
      const [servers, tasks, think] = row;
      const { mean, halfWidth } = simulateClosed(servers, tasks, think * MEAN_SERVICE_NS, 30_000);
      const expected = closedGap(servers, tasks, think * MEAN_SERVICE_NS);
      expect(halfWidth).toBeLessThan(0.08 * expected);
      expect(Math.abs(mean - expected)).toBeLessThan(halfWidth);
    },
  );

  it.each([
    [1, 0.8, 'exponential'],
    [4, 0.9, 'exponential'],
    [2, 0.7, 'constant'],
  ] as const)("obeys Little's law exactly: %i servers at load %d, %s service", (servers, load, service) => {
    const queue = simulateQueue({ servers, load, service, customers: 20_000, sliceNs: FOREVER_NS });
    expect(queue.inSystem / (queue.arrivalRate * queue.sojourn)).toBeCloseTo(1, 9);
  });

  it('is busy for the offered load', () => {
    const options = { servers: 4, load: 0.6, service: 'constant', customers: 20_000, sliceNs: FOREVER_NS } as const;
    const { busy, arrivalRate } = simulateQueue(options);
    expect(busy).toBeCloseTo((arrivalRate * MEAN_SERVICE_NS) / 4, 9);
  });
});
