import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MS, testMachine } from '../testing/build.js';
import { ranMs, spinner, start } from '../testing/groups.js';
import { SwitchLog } from '../testing/switch-log.js';
import { CpuMask } from './cpu-mask.js';
import { CpuGroup } from './cpu-group.js';
import { type Task, YIELD } from './task.js';

describe('a group with a quota', () => {
  it('of 50 ms each 100 ms gives two spinners 2000 ms in 4 s', () => {
    const machine = testMachine(2);
    const group = new CpuGroup(machine, 'g', { quotaNs: 50 * MS });
    const tasks = [spinner(machine, group), spinner(machine, group)];
    machine.run(4000 * MS - 1);
    expect(ranMs(machine, ...tasks)).toBe(2000);
    expect(group.stat()).toMatchObject({ usageNs: 2000 * MS, nrPeriods: 39, nrThrottled: 39, nrBursts: 0 });
    // Each of the two CPUs waits for 75 ms of every period.
    expect(group.stat().throttledNs / MS).toBeCloseTo(2 * 4000 - 2000, 3);
  });

  it.each([
    [50, 100, 1],
    [200, 100, 4],
    [250, 100, 4],
    [10, 50, 3],
    [1, 1000, 2],
    [7.5, 20, 2],
  ])('of %d ms each %d ms gives exactly that to spinners on %i CPUs', (quotaMs, periodMs, cpus) => {
    const machine = testMachine(cpus);
    const group = new CpuGroup(machine, 'g', { quotaNs: quotaMs * MS, periodNs: periodMs * MS });
    const tasks = machine.cpus.map(({ index }) => spinner(machine, group, index));
    machine.run(20 * periodMs * MS - 1);
    expect(ranMs(machine, ...tasks)).toBeCloseTo(20 * quotaMs, 6);
  });

  it('of more than its CPUs is never throttled', () => {
    const machine = testMachine(2);
    const group = new CpuGroup(machine, 'g', { quotaNs: 200 * MS });
    const tasks = [spinner(machine, group), spinner(machine, group)];
    machine.run(4000 * MS);
    expect(ranMs(machine, ...tasks)).toBe(8000);
    expect(group.stat()).toMatchObject({ nrThrottled: 0, throttledNs: 0 });
  });

  it('leaves the rest of its CPU to neighbours', () => {
    const machine = testMachine(1);
    const inside = spinner(machine, new CpuGroup(machine, 'g', { quotaNs: 30 * MS }));
    const outside = spinner(machine, undefined);
    machine.run(4000 * MS);
    expect(ranMs(machine, inside)).toBeCloseTo(1200, 6);
    expect(ranMs(machine, outside)).toBeCloseTo(2800, 6);
  });

  it('may use what it saved up, as far as its burst goes', () => {
    const machine = testMachine(1);
    const group = new CpuGroup(machine, 'g', { quotaNs: 20 * MS, burstNs: 15 * MS });
    const doneMs: number[] = [];
    start(machine, { group }, function* () {
      for (let i = 0; i < 2; i++) {
        yield 5 * MS;
        yield machine.sleep(250 * MS);
      }
      yield 40 * MS;
      doneMs.push(machine.nowNs / MS);
    });
    machine.run(Infinity);
    // It wakes at 510 and finds 35 ms; the last 5 come at 600.
    expect(doneMs).toEqual([605]);
    expect(group.stat()).toMatchObject({ nrBursts: 1, burstNs: 15 * MS });
  });

  it('costs no events once nothing of it runs', () => {
    const machine = testMachine(4);
    const group = new CpuGroup(machine, 'g', { quotaNs: 20 * MS });
    start(machine, { group }, function* () {
      yield 5 * MS;
      yield machine.sleep(3600e9);
      yield 5 * MS;
    });
    machine.run(Infinity);
    expect(machine.events.executed).toBeLessThan(20);
    expect(group.stat().nrPeriods).toBeLessThan(6);
    expect(machine.nowNs).toBeLessThan(3601e9);
  });

  it('gives what CPUs return to one that waits, 5 ms after that is more than a slice', () => {
    const machine = testMachine(4);
    const group = new CpuGroup(machine, 'g', { quotaNs: 20 * MS });
    const doneMs: number[] = [];
    start(machine, { group, on: 0 }, function* () {
      yield 12 * MS;
      doneMs.push(machine.nowNs / MS);
    });
    // Each takes a slice at 4 ms and has 2.5 ms more than it may keep when it ends; CPU 0 waits from 5 ms on.
    const come = machine.addActor((on) => {
      start(machine, { group, on }, function* () {
        yield 1.5 * MS;
      });
    });
    for (const on of [1, 2, 3]) machine.schedule(4 * MS, come, on);
    machine.run(Infinity);
    expect(doneMs).toEqual([5.5 + 5 + 7]);
  });

  it('loses what its CPUs hold when its quota changes', () => {
    const machine = testMachine(1);
    const group = new CpuGroup(machine, 'g', { quotaNs: 50 * MS });
    const task = spinner(machine, group);
    const shrink = machine.addActor(() => group.configure({ quotaNs: 2 * MS }));
    machine.schedule(7.5 * MS, shrink, 0);
    machine.run(99 * MS);
    expect(ranMs(machine, task)).toBe(7.5 + 2);
  });

  it('goes on at once when its quota is raised or lifted', () => {
    const machine = testMachine(1);
    const group = new CpuGroup(machine, 'g', { quotaNs: 10 * MS });
    const task = spinner(machine, group);
    const at = (ms: number, change: () => void) => machine.schedule(ms * MS, machine.addActor(change), 0);
    at(50, () => group.configure({ quotaNs: 20 * MS }));
    at(90, () => group.configure({ quotaNs: Infinity }));
    machine.run(190 * MS);
    expect(ranMs(machine, task)).toBe(10 + 20 + 100);
  });
});

it('shares a new quota that is too small for all of its CPUs among those that come first', () => {
  const machine = testMachine(3);
  const group = new CpuGroup(machine, 'g', { quotaNs: 9 * MS });
  const tasks = [0, 1, 2].map((on) => spinner(machine, group, on));
  const shrink = machine.addActor(() => group.configure({ quotaNs: 2 * MS }));
  machine.schedule(50 * MS, shrink, 0);
  machine.run(999 * MS);
  expect(ranMs(machine, ...tasks)).toBe(9 + 2 + 9 * 2);
});

it('keeps a throttled task that may no longer run where it is for no CPU but those that it may use', () => {
  const machine = testMachine(2);
  const group = new CpuGroup(machine, 'g', { quotaNs: 5 * MS });
  spinner(machine, group, 1);
  const seen: number[] = [];
  machine.spawn(
    'moves',
    function* (task) {
      yield 20 * MS;
      machine.scheduler.setAffinity(task, new CpuMask(2, [0]));
      machine.scheduler.setGroup(task, group);
      yield 1 * MS;
      seen.push(task.cpu.index);
    },
    { near: machine.cpus[1]!, nice: -20 },
  );
  machine.run(1000 * MS);
  expect(seen).toEqual([0]);
});

it('tells its usage in the middle of a burst without touching it', () => {
  const machine = testMachine(2);
  const top = new CpuGroup(machine, 'top');
  const inner = new CpuGroup(machine, 'inner', { parent: top });
  const tasks = [spinner(machine, inner, 0), spinner(machine, undefined, 1)];
  machine.run(30 * MS);
  expect([top.stat().usageNs, inner.stat().usageNs]).toEqual([30 * MS, 30 * MS]);
  expect(tasks.map(({ cpuTimeNs }) => cpuTimeNs)).toEqual([0, 0]);
});

describe('nested groups', () => {
  it.each([
    ['the tighter parent', 50, 80, 0, [50, 0]],
    ['the tighter child', 80, 20, 0, [20, 0]],
    ['both, when the child has a sibling', 50, 20, 1, [20, 30]],
  ])('are held by %s', (_what, parentMs, childMs, siblings, expected) => {
    const machine = testMachine(2);
    const parent = new CpuGroup(machine, 'parent', { quotaNs: parentMs * MS });
    const child = new CpuGroup(machine, 'child', { parent, quotaNs: childMs * MS });
    const inChild = spinner(machine, child, 0);
    const sibling = siblings === 0 ? [] : [spinner(machine, parent, 1)];
    machine.run(2000 * MS - 1);
    expect([ranMs(machine, inChild) / 20, ranMs(machine, ...sibling) / 20]).toEqual(expected);
    expect(parent.usageNs).toBe((expected[0]! + expected[1]!) * 20 * MS);
  });

  it('count what runs below a group that has no quota', () => {
    const machine = testMachine(1);
    const top = new CpuGroup(machine, 'top');
    const middle = new CpuGroup(machine, 'middle', { parent: top, quotaNs: 25 * MS });
    const leaf = new CpuGroup(machine, 'leaf', { parent: middle });
    spinner(machine, leaf);
    machine.run(1000 * MS - 1);
    expect([top.usageNs, middle.usageNs, leaf.usageNs]).toEqual([250 * MS, 250 * MS, 250 * MS]);
    expect([top, middle, leaf].map((group) => group.stat().nrThrottled)).toEqual([0, 9, 0]);
  });
});

describe('a task that is in the kernel when its group is throttled', () => {
  // Seen on a 6.18 kernel: 20 ms each 100 ms, a call of 305 ms of CPU time took 1439 ms.
  const run = (throttleAt: 'dequeue' | 'userReturn') => {
    const machine = testMachine(1, { throttleAt });
    const group = new CpuGroup(machine, 'g', { quotaNs: 20 * MS, firstEdgeNs: 40 * MS });
    const atMs: number[] = [];
    start(machine, { group }, function* (task) {
      yield 305 * MS;
      atMs.push(machine.nowNs / MS);
      machine.scheduler.setUserMode(task, true);
      yield 1 * MS;
      atMs.push(machine.nowNs / MS);
    });
    machine.run(Infinity);
    return { atMs, throttledMs: group.stat().throttledNs / MS };
  };

  it('stops inside the call when throttling dequeues', () => {
    expect(run('dequeue')).toEqual({ atMs: [1445, 1446], throttledMs: 1140 });
  });

  it('stops inside the call at its cond_resched() when kernel code is not preempted', () => {
    const machine = testMachine(1, { preemption: 'none' });
    const group = new CpuGroup(machine, 'g', { quotaNs: 20 * MS, firstEdgeNs: 40 * MS });
    start(machine, { group }, function* () {
      for (let i = 0; i < 305; i++) {
        yield 1 * MS;
        yield YIELD;
      }
    });
    machine.run(Infinity);
    const { usageNs, throttledNs } = group.stat();
    expect([usageNs, throttledNs]).toEqual([305 * MS, 1140 * MS]);
  });

  it('stops at return to user mode, and then for as long as all of it takes to pay', () => {
    expect(run('userReturn')).toEqual({ atMs: [305, 1441], throttledMs: 1135 });
  });
});

describe('groups at random', () => {
  const MAX_CPUS = 3;
  const groupArbitrary = fc.record({
    quotaNs: fc.integer({ min: 1 * MS, max: 120 * MS }),
    periodNs: fc.integer({ min: 10 * MS, max: 150 * MS }),
    burst: fc.double({ min: 0, max: 1, noNaN: true }),
    nested: fc.boolean(),
  });
  const taskArbitrary = fc.record({
    group: fc.integer({ min: -1, max: 2 }),
    on: fc.option(fc.nat({ max: MAX_CPUS - 1 }), { nil: undefined }),
    runNs: fc.integer({ min: 50_000, max: 30 * MS }),
    sleepNs: fc.integer({ min: 0, max: 30 * MS }),
    user: fc.boolean(),
  });

  it('use their quota of each period and 1 ms a CPU at most, and lose no CPU time', () => {
    const property = fc.property(
      fc.array(groupArbitrary, { minLength: 3, maxLength: 3 }),
      fc.array(taskArbitrary, { minLength: 1, maxLength: 8 }),
      (groupOptions, taskOptions) => {
        const machine = testMachine(MAX_CPUS, { contextSwitchNs: 1000 });
        const log = new SwitchLog(machine);
        const groups: CpuGroup[] = [];
        for (const [i, { quotaNs, periodNs, burst, nested }] of groupOptions.entries()) {
          const parent = nested && i > 0 ? { parent: groups[i - 1]! } : {};
          const limits = { quotaNs, periodNs, burstNs: Math.floor(quotaNs * burst) };
          groups.push(new CpuGroup(machine, `g${i}`, { ...limits, ...parent }));
        }
        const tasks = taskOptions.map(({ group, on, runNs, sleepNs, user }) =>
          start(machine, { group: groups[group], on, userMode: user }, function* () {
            for (;;) {
              yield runNs;
              yield machine.sleep(sleepNs);
            }
          }),
        );
        const lastNs = 700 * MS;
        machine.run(lastNs);
        log.checkAccounting();
        expect(log.violations).toEqual([]);
        for (const [i, group] of groups.entries()) {
          const inside = tasks.filter((task) => isWithin(task.group, group));
          expect(group.usageNs).toBe(inside.reduce((sum, { cpuTimeNs }) => sum + cpuTimeNs, 0));
          const { quotaNs, periodNs, burst } = groupOptions[i]!;
          const periods = Math.floor(lastNs / periodNs) + 1;
          const allowedNs = periods * quotaNs + Math.floor(quotaNs * burst) + MAX_CPUS * MS;
          expect(group.usageNs).toBeLessThanOrEqual(allowedNs);
        }
      },
    );
    fc.assert(property, { numRuns: 40 });
  });
});

function isWithin(group: Task['group'], ancestor: CpuGroup): boolean {
  for (let level = group as CpuGroup | undefined; level !== undefined; level = level.parent) {
    if (level === ancestor) return true;
  }
  return false;
}
