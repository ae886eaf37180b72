import { describe, expect, it } from 'vitest';
import type { Host } from '../hosts/host.js';
import { cellsOf, describeDeclaration } from '../testing/index.js';
import { logLock } from './log-lock.js';

const { cellOf, run, runSeeds, systemOn } = cellsOf(logLock, { variant: 'before', profile: 'deb510-6cpu' });

describeDeclaration(logLock);

describe('the smallest mechanism', () => {
  it('gives the same bytes for the same cell, others for another seed', () => {
    expect(run().digest).toBe(run().digest);
    expect(run({ seed: 2 }).digest).not.toBe(run().digest);
  });

  it('appends sooner when records are formatted ahead of the lock', () => {
    const seeds = [1, 2, 3];
    const [before, after] = ['before', 'after'].map((variant) => runSeeds({ variant }, seeds));
    expect(after!('append_latency_p99_seconds')).toBeLessThan(before!('append_latency_p99_seconds') / 2);
  });

  it('ends with every record in the log', () => {
    const { telemetry } = run({ workload: { threads: 7, records: 11 } });
    expect([...telemetry.column('samples', 'records_total')].at(-1)).toBe(77);
  });
});

describe('a cell of a spec', () => {
  it('is of the machine of its profile, with what the spec says otherwise', () => {
    const { machine } = cellOf({ cpus: 3, preemptRcu: false, constants: { formatNs: 5 } });
    expect(machine).toMatchObject({ profile: 'deb510-6cpu', cpus: 3, hz: 250, fairClass: 'cfs', preemptRcu: false });
    expect(machine.constants).toMatchObject({ formatNs: 5, appendNs: 1_000 });
  });

  it('has a system that can be looked at while it runs, and that stops the machine when it has finished', () => {
    const hosts: Host[] = [];
    const system = systemOn(cellOf(), (place) => {
      hosts.push(place.host);
      return logLock.attachable!.attach(place);
    });
    const { machine } = hosts[0]!;
    system.start();
    machine.run(1e6);
    expect(system.finished).toBe(false);
    expect(machine.run(3600e9)).toBe(true);
    expect(system.outstanding).toBe(0);
  });
});
