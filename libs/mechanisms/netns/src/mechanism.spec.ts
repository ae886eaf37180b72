import { describeDeclaration } from '@kworkbench/mechanism/testing';
import { describe, expect, it } from 'vitest';
import { netns } from './mechanism.js';
import { cellOf, type CellOptions } from './testing/cells.js';

describe('check', () => {
  const cases: readonly (readonly [string, CellOptions, string])[] = [
    ['memory that the machine itself uses up', { memoryBytes: 2 ** 28 }, 'machine.memory'],
    [
      'memory for fewer namespaces than threads',
      { memoryBytes: 2 ** 29, workload: { threads: 4096 } },
      'machine.memory',
    ],
    [
      'a user limit that a holder can never stay below',
      { kernel: { userLimit: 99 }, workload: { kind: 'holdAndDrop', cycles: 100 } },
      'kernel.userLimit',
    ],
    [
      'a user limit that threads fill by holding',
      { kernel: { userLimit: 4 }, workload: { threads: 4 } },
      'kernel.userLimit',
    ],
    ['bursts without time between them', { workload: { kind: 'bursts', interval: 0 } }, 'workload.interval'],
    [
      'memory shares above the whole',
      { constants: { exitMemoryRatio: 0.65, deviceMemoryRatio: 0.6 } },
      'machine.constants.exitMemoryRatio',
    ],
  ];
  it.each(cases)('refuses %s', (_what, options, path) => {
    expect(netns.check(cellOf(options)).map((problem) => problem.path)).toContain(path);
  });

  it('accepts what can run', () => {
    expect(netns.check(cellOf())).toEqual([]);
    expect(netns.check(cellOf({ kernel: { userLimit: 1 }, workload: { kind: 'exec' } }))).toEqual([]);
  });
});

describeDeclaration(netns);

describe('the declaration', () => {
  it.each([
    [{}, '50,000 unshare cycles · 1 thread'],
    [{ threads: 4, rate: 1000 }, '50,000 unshare cycles · 4 threads · 1,000/s'],
    [{ kind: 'holdAndDrop', cycles: 1 }, '1 namespace held, then dropped at once · 1 thread'],
  ])('says what %j does', (workload, text) => {
    expect(netns.describeWorkload(cellOf({ workload }))).toBe(text);
  });
});
