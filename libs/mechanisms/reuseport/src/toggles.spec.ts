// What changes between two closes: the sysctl, and workers that stop to accept before their listener closes.
import { describe, expect, it } from 'vitest';
import { run } from './testing/cells.js';

describe('net.ipv4.tcp_migrate_req, changed after the first of two closes', () => {
  /** 200 connections a listener, evenly. */
  const queues = { kind: 'queues', connections: 800, hashSource: 'even', close: 'A,B', newListeners: 0, service: 1e-6 };

  it.each([
    ['does nothing for the close before it', 0, 1, { connections_lost_queue_rst_total: 200 }],
    ['never changed from 0', 0, 0, { connections_lost_queue_rst_total: 400 }],
    ['never changed from 1', 1, 0, { connections_lost_queue_rst_total: 0 }],
  ])('%s', (_what, migrateReq, sysctlFlipAfter, expected) => {
    const { metrics } = run({ variant: 'M', kernel: { migrateReq }, workload: { ...queues, sysctlFlipAfter } });
    expect(metrics).toMatchObject(expected);
  });

  it('set to 0: what moved to the second listener is reset with its own', () => {
    // A hands all of its queue to D, which moved into its slot, or to whom the hash names; B resets what it has.
    const { metrics } = run({ variant: 'M', kernel: { migrateReq: 1 }, workload: { ...queues, sysctlFlipAfter: 1 } });
    expect(metrics['migrations_close_total']).toBe(200);
    expect(metrics['connections_lost_queue_rst_total']).toBeGreaterThanOrEqual(200);
    expect(metrics['connections_accepted_total']! + metrics['connections_lost_total']!).toBe(800);
  });

  it('set to 0 after the close: its half-open requests find the group, and are refused each', () => {
    const workload = { kind: 'queues', connections: 50, dropAcksFor: 0.05, dataDelay: 0.6, close: 'A,B,C,D' };
    const kept = run({ variant: 'M', workload });
    const refused = run({ variant: 'M', workload: { ...workload, sysctlFlipAfter: 4 } });
    expect(kept.metrics['connections_lost_total']).toBe(0);
    expect(refused.metrics['migration_failures_total']).toBeGreaterThanOrEqual(50);
    expect(refused.metrics).toMatchObject({ migrations_total: 0, connections_lost_ack_rst_total: 50 });
  });
});

describe('old workers that stop to accept before their listeners close', () => {
  const lost = (stopAhead: number, variant = 'B0'): number => {
    const workload = { kind: 'reload', reloads: 100, stopAhead };
    return run({ variant, workload }).metrics['lost_per_reload_mean']!;
  };

  it('leave what comes meanwhile in the queues: half of 700 a second', () => {
    const none = lost(0);
    expect(lost(0.004) - none).toBeGreaterThan(0.7 * 1.4);
    expect(lost(0.004) - none).toBeLessThan(1.4 * 1.4);
    expect(lost(0.004, 'M')).toBe(0);
    expect(lost(0.004, 'drain')).toBe(0);
  });
});
