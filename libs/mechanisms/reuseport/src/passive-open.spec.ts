// The passive open alone: timers of both ends, pruning, cookies, full queues.
import { describe, expect, it } from 'vitest';
import { dataSendsNs } from './model/client.js';
import { secondsToRetransmissions, synackRetries } from './model/synack-timer.js';
import { type CellOptions, run } from './testing/cells.js';

/** Filters every bare ACK for good, and nobody closes anything: what is left are the timers. */
const stuck = (workload: Record<string, unknown>, kernel: CellOptions['kernel'] = {}): CellOptions => ({
  kernel,
  workload: {
    kind: 'queues',
    connections: 1,
    oldListeners: 2,
    newListeners: 0,
    close: 'B',
    hashes: ['0'],
    ...workload,
  },
});

describe('the SYN+ACK timer', () => {
  it.each([
    [1, 1, 3],
    [2, 2, 7],
    [5, 5, 63],
  ])('with %i retries sends %i times more and gives up after %i s', (synackRetries, sent, seconds) => {
    const { metrics, outcome } = run(stuck({ client: 'silent', dropAcksFor: 1e4 }, { synackRetries }));
    expect(metrics).toMatchObject({ synack_retransmits_total: sent, connections_lost_half_open_hang_total: 1 });
    expect(outcome.virtualSeconds).toBeCloseTo(seconds, 2);
  });

  it.each([
    ['a queue that is less than half full', 100, 0, 511, 5],
    ['short queues, whatever is in them', 4, 0, 1, 5],
    ['a full queue of young ones', 300, 300, 511, 5],
    ['a full queue, half of it young', 300, 150, 511, 4],
    ['a full queue, a quarter of it young', 300, 75, 511, 3],
    ['a full queue of old ones: two are left', 300, 0, 511, 2],
  ])('prunes: %s', (_, qlen, young, limit, retries) => {
    expect(synackRetries(5, qlen, young, limit)).toBe(retries);
  });

  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 2],
    [5, 3],
    [7, 3],
    [60, 6],
  ])('TCP_DEFER_ACCEPT of %i s is %i retransmissions', (seconds, retransmissions) => {
    expect(secondsToRetransmissions(seconds)).toBe(retransmissions);
  });
});

describe('the client', () => {
  it('sends data again at 0.2, 0.6, 1.4 s, and so on, and no more than 120 s apart', () => {
    expect(dataSendsNs.slice(0, 5).map((ns) => ns / 1e9)).toEqual([0, 0.2, 0.6, 1.4, 3]);
    expect(dataSendsNs.at(-1)! - dataSendsNs.at(-2)!).toBe(120e9);
  });

  it('gets ETIMEDOUT after 131 s of SYNs into a full queue', () => {
    // The first two fill the queue of A (limit 1), the third never gets in; workers begin only later.
    const workload = { connections: 3, hashes: ['0', '1', '2'], backlog: 1, acceptAfter: 200 };
    const { metrics } = run(stuck(workload));
    expect(metrics).toMatchObject({
      connections_accepted_total: 2,
      connections_lost_timed_out_total: 1,
      listen_drops_total: 11,
    });
  });

  it('connects a second later when its first SYN found no room', () => {
    const workload = { connections: 3, hashes: ['0', '1', '2'], backlog: 1, acceptAfter: 0.5, service: 1e-6 };
    const { metrics } = run(stuck(workload));
    expect(metrics).toMatchObject({ connections_accepted_total: 3, syn_retried_total: 1, overflow_delayed_total: 1 });
    expect(metrics['connect_latency_max_seconds']).toBeCloseTo(1, 3);
  });

  it('whose request was dropped with its listener connects to a live one a second later (SYN_RETRY)', () => {
    // The SYN+ACK is lost, not the SYN: the request dies with A, the SYN comes again and finds B.
    const workload = { connections: 400, hashes: [], loss: 0.3, close: 'A', client: 'talks', service: 1e-6 };
    const { metrics } = run(stuck(workload));
    expect(metrics['syn_retried_total']).toBeGreaterThan(100);
    expect(metrics['connections_open']).toBe(0);
  });

  it('gives up when its patience ends', () => {
    const workload = { connections: 10, hashes: [], hashSource: 'even', acceptAfter: 5, patience: 2 };
    expect(run(stuck(workload)).metrics).toMatchObject({
      connections_lost_gave_up_total: 5,
      connections_lost_queue_rst_total: 5,
    });
  });
});

describe('the half-open queue', () => {
  const flood = { connections: 30, hashes: Array.from({ length: 30 }, () => 0), backlog: 8, dropAcksFor: 0.05 };
  it.each([
    ['above', 9],
    ['at', 8],
  ] as const)('is full %s its limit: the others get cookies', (halfOpenFullAt, fit) => {
    const { metrics } = run(stuck({ ...flood, dataDelay: 0.1, acceptAfter: 1 }, { halfOpenFullAt }));
    expect(metrics['cookies_sent_total']).toBe(30 - fit);
  });

  it('without cookies drops the SYNs that do not fit', () => {
    const { metrics } = run(stuck({ ...flood, acceptAfter: 1, service: 1e-6 }, { syncookies: 0 }));
    expect(metrics['cookies_sent_total']).toBe(0);
    expect(metrics['listen_drops_total']).toBeGreaterThanOrEqual(21);
  });

  it('resets at a full accept queue with tcp_abort_on_overflow', () => {
    const workload = {
      connections: 30,
      hashes: flood.hashes,
      backlog: 8,
      dropAcksFor: 0.05,
      dataDelay: 0.1,
      acceptAfter: 1,
    };
    const { metrics } = run(stuck(workload, { abortOnOverflow: true }));
    expect(metrics).toMatchObject({ connections_accepted_total: 9, connections_lost_overflow_total: 21 });
  });
});

describe('user space instead of the kernel', () => {
  const reload = { reloads: 5, rate: 2_000, service: 0.0015, overlap: 0 };
  it.each(['fdHandoff', 'drain', 'sharedSocket'])('%s loses nothing in a reload', (variant) => {
    expect(run({ variant, workload: reload }).metrics['connections_lost_total']).toBe(0);
  });

  it('a drain that is shorter than the SYN+ACK timers loses half-open connections all the same', () => {
    const workload = { kind: 'queues', connections: 20, dropAcksFor: 0.05, dataDelay: 1, service: 1e-6 };
    const lost = (drainTime: number): number =>
      run({ variant: 'drain', kernel: { drainTime }, workload }).metrics['connections_lost_total']!;
    expect(lost(0.2)).toBe(20);
    expect(lost(2)).toBe(0);
  });
});

describe('listeners that were shut down and listen again', () => {
  it('join their group while it has a live member, and a new one otherwise', () => {
    const workload = { kind: 'queues', connections: 40, closeHow: 'shutdown', newListeners: 0, service: 1e-6 };
    const some = run({ variant: 'M', workload: { ...workload, close: 'A,B', relisten: 'A' } }).metrics;
    expect(some).toMatchObject({ groups_total: 1, connections_accepted_total: 40 });
    const all = run({ variant: 'M', workload: { ...workload, close: 'A,B,C,D', relisten: 'A' } }).metrics;
    expect(all).toMatchObject({ groups_total: 2, connections_lost_queue_rst_total: 40 });
  });
});
