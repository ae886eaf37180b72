import { describeDeclaration } from '@kworkbench/mechanism/testing';
import { describe, expect, it } from 'vitest';
import { kernelSchema } from './kernel.js';
import { ipvs } from './mechanism.js';
import { cellOf, type CellOptions } from './testing/cells.js';
import { workloadSchema } from './workloads.js';

describe('check', () => {
  const cases: readonly (readonly [string, CellOptions, string])[] = [
    ['destinations without a service', { workload: { services: 0, destinations: 5 } }, 'workload.services'],
    ['more rules than fit', { workload: { services: 1_000_000, destinations: 9 } }, 'workload.services'],
    ['a warm-up as long as the run', { workload: { duration: 5, warmup: 5 } }, 'workload.warmup'],
    ['rules added without time between them', { workload: { add: 'paced', addInterval: 0 } }, 'workload.addInterval'],
    ['est_cpulist beyond the CPUs', { cpus: 4, workload: { estCpulist: '0-4' } }, 'workload.estCpulist'],
    [
      'est_cpulist of more CPUs than can be',
      { cpus: 4, workload: { estCpulist: '0-9999999999' } },
      'workload.estCpulist',
    ],
    ['a writer beyond the CPUs', { cpus: 4, workload: { estCpulistWriter: '9' } }, 'workload.estCpulistWriter'],
    ['ticks shorter than a jiffy', { hz: 24 }, 'machine.hz'],
  ];
  it.each(cases)('refuses %s', (_what, options, path) => {
    expect(ipvs.check(cellOf(options)).map((problem) => problem.path)).toContain(path);
  });

  it('refuses full preemption without PREEMPT_RCU', () => {
    const cell = cellOf();
    const machine = { ...cell.machine, preemption: 'full', preemptRcu: false } as const;
    expect(ipvs.check({ ...cell, machine }).map(({ path }) => path)).toEqual(['machine.preemptRcu']);
    expect(ipvs.check({ ...cell, machine: { ...machine, preemptRcu: true } })).toEqual([]);
  });

  it('accepts what can run', () => {
    expect(ipvs.check(cellOf())).toEqual([]);
    expect(ipvs.check(cellOf({ workload: { services: 0 } }))).toEqual([]);
  });
});

describe('the schemas', () => {
  it.each([
    ['estNice', 20],
    ['estNice', -21],
    ['estCpulist', '3-'],
    // cpulist_parse(): EINVAL
    ['estCpulist', '0,5-2'],
    ['services', -1],
    ['teardownAt', -2],
  ])('refuse %s %s', (key, value) => {
    expect(workloadSchema.safeParse({ [key]: value }).success).toBe(false);
  });

  it('refuse options that nobody has', () => {
    expect(kernelSchema.safeParse({ design: 'timer' }).success).toBe(false);
    expect(workloadSchema.safeParse({ service: 3 }).success).toBe(false);
  });
});

describeDeclaration(ipvs);

describe('the declaration', () => {
  it('says what a cell does', () => {
    const workload = { services: 50_000, destinations: 1, netns: 2, duration: 30 };
    expect(ipvs.describeWorkload(cellOf({ workload }))).toBe(
      '50,000 services · 1 destination each · 2 namespaces · 104 possible CPUs · 30 s',
    );
  });
});
