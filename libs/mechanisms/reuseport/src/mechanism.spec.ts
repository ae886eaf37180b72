import { describeDeclaration } from '@kworkbench/mechanism/testing';
import { nullSink } from '@kworkbench/telemetry';
import { describe, expect, it } from 'vitest';
import { reuseport } from './mechanism.js';
import { listenerName, listenerNumber } from './model/names.js';
import { simulate } from './simulate.js';
import { cellOf, type CellOptions } from './testing/cells.js';

const QUEUES = { kind: 'queues' };

describe('check', () => {
  const cases: readonly (readonly [string, CellOptions, string])[] = [
    ['an order that names a listener that is not there', { workload: { ...QUEUES, close: 'A,Z' } }, 'workload.close'],
    ['an order that names one twice', { workload: { ...QUEUES, close: 'A,A' } }, 'workload.close'],
    ['an order without names', { workload: { ...QUEUES, close: ' , ' } }, 'workload.close'],
    ['a new listener that listens only later', { workload: { ...QUEUES, close: 'E', gap: 1 } }, 'workload.close'],
    ['names in a reload', { workload: { close: 'A,B' } }, 'workload.close'],
    ['listeners that listen again after close()', { workload: { ...QUEUES, relisten: 'A' } }, 'workload.closeHow'],
    [
      'one that listens again and was never closed',
      { workload: { ...QUEUES, closeHow: 'shutdown', close: 'A', relisten: 'B' } },
      'workload.relisten',
    ],
    ['a reload to nobody', { workload: { newListeners: 0 } }, 'workload.newListeners'],
    ['no rate', { workload: { rate: 0 } }, 'workload.rate'],
    ['no time between reloads', { workload: { period: 0 } }, 'workload.period'],
    ['more connections than a cell can have', { workload: { rate: 1e9, period: 10 } }, 'workload.rate'],
    [
      'more listeners than a group has slots',
      { workload: { ...QUEUES, oldListeners: 32_768 } },
      'workload.newListeners',
    ],
  ];
  it.each(cases)('refuses %s', (_what, options, path) => {
    expect(reuseport.check(cellOf(options)).map((problem) => problem.path)).toContain(path);
  });

  it.each([{}, QUEUES, { ...QUEUES, close: 'D,A' }, { ...QUEUES, closeHow: 'shutdown', relisten: 'A,B' }])(
    'accepts %j',
    (workload) => {
      expect(reuseport.check(cellOf({ workload }))).toEqual([]);
    },
  );
});

describe('the workload schema', () => {
  it.each([
    ['backlog 0', { backlog: 0 }, ['backlog']],
    ['a round trip as long as the first timeout', { rtt: '1s' }, ['rtt']],
    ['an unknown key', { listeners: 4 }, []],
    ['a hash that is none', { hashes: ['0xggg'] }, ['hashes', 0]],
    [
      'a rule with an unknown field',
      { policy: { rules: [{ when: { stat: 'x' }, do: 'hash' }] } },
      ['policy', 'rules', 0, 'when'],
    ],
  ])('refuses %s', (_what, workload, path) => {
    const parsed = reuseport.workloadSchema.safeParse(workload);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]?.path).toEqual(path);
  });
});

describe('names of listeners', () => {
  it.each([
    [0, 'A'],
    [25, 'Z'],
    [26, 'AA'],
    [701, 'ZZ'],
    [702, 'AAA'],
  ])('%i is %s, and back', (number, name) => {
    expect(listenerName(number)).toBe(name);
    expect(listenerNumber(name)).toBe(number);
  });
});

describeDeclaration(reuseport);

describe('the declaration', () => {
  it('gives exactly the metrics that it declares', () => {
    const { metrics } = simulate(cellOf({ workload: { ...QUEUES, connections: 8 } }), nullSink);
    expect(Object.keys(metrics)).toEqual(reuseport.metrics.map(({ name }) => name));
  });

  it.each([
    [{}, '4,900 connections · 700/s · 4 old and 4 new listeners · 27 reloads'],
    [{ ...QUEUES, connections: 1, close: 'A,B' }, '1 connection in queues · 4 old and 4 new listeners · close A,B'],
  ])('says what %j does', (workload, text) => {
    expect(reuseport.describeWorkload(cellOf({ workload }))).toBe(text);
  });
});
