import { describe, expect, test } from 'vitest';
import { countCpuList, hasCapability, parseCpuMax, parseMeminfo, statusField } from './procfs.js';

test('meminfo gives bytes and leaves out lines that are not sizes', () => {
  const memory = parseMeminfo('MemTotal:       24684032 kB\nMemAvailable:    1024 kB\nHugePages_Total:       3\n');
  expect(Object.fromEntries(memory)).toEqual({ MemTotal: 24684032 * 1024, MemAvailable: 1024 * 1024 });
});

describe('a CPU list', () => {
  test.each([
    ['0', 1],
    ['0-1\n', 2],
    ['0-3,8,10-11', 7],
    ['', 0],
  ])('%j has %i CPUs', (list, count) => expect(countCpuList(list)).toBe(count));
});

describe('an effective capability mask', () => {
  test.each([
    ['000001ffffffffff', 'CAP_SYS_ADMIN', true],
    ['00000000a80425fb', 'CAP_SYS_ADMIN', false],
    ['0000000000001000', 'CAP_NET_ADMIN', true],
    ['0000000000000000', 'CAP_IPC_LOCK', false],
  ] as const)('%s: %s is %s', (mask, name, held) => expect(hasCapability(mask, name)).toBe(held));
});

test('a status field is found by its whole key', () => {
  const status = 'CapInh:\t0000\nCapEff:\t00000000a80425fb\nCapBnd:\tff\n';
  expect(statusField(status, 'CapEff')).toBe('00000000a80425fb');
  expect(statusField(status, 'Eff')).toBeUndefined();
});

test('cpu.max is a number of CPUs, or no limit', () => {
  expect(parseCpuMax('150000 100000\n')).toBe(1.5);
  expect(parseCpuMax('max 100000\n')).toBeUndefined();
});
