import { describe, expect, it } from 'vitest';
import { MS, testMachine } from '../testing/build.js';
import { ranMs, spinner } from '../testing/groups.js';
import { remoteBegin, remoteCharge } from './bandwidth-remote.js';
import { CpuGroup, type CpuGroupOptions } from './cpu-group.js';

describe('remote charging', () => {
  const setUp = (options: Partial<CpuGroupOptions> = {}, cpus = 4) => {
    const machine = testMachine(cpus);
    const group = new CpuGroup(machine, 'g', { quotaNs: 200 * MS, ...options });
    return { machine, group };
  };

  it('blocks a group with 80 ms left that is charged 500 ms for two periods and gives it 180 ms in the third', () => {
    const { machine, group } = setUp();
    // Two spinners use 120 ms in the first 60 ms, which is whole slices.
    const tasks = [spinner(machine, group, 0), spinner(machine, group, 1)];
    const charge = machine.addActor(() => group.chargeRemote(500 * MS));
    machine.schedule(60 * MS, charge, 0);
    const debtMs: number[] = [];
    const usedMs: number[] = [];
    for (const untilMs of [61, 101, 201, 301, 399]) {
      machine.run(untilMs * MS);
      debtMs.push(group.pool.debtNs / MS);
      usedMs.push(ranMs(machine, ...tasks));
    }
    expect(debtMs).toEqual([420, 220, 20, 0, 0]);
    expect(usedMs).toEqual([120, 120, 120, 122, 300]);
  });

  it('never throttles the helper, and charges every level that has a quota', () => {
    const machine = testMachine(2);
    const top = new CpuGroup(machine, 'top', { quotaNs: 100 * MS });
    const middle = new CpuGroup(machine, 'middle', { parent: top });
    const leaf = new CpuGroup(machine, 'leaf', { parent: middle, quotaNs: 10 * MS });
    let charges = 0;
    const helper = machine.spawn('helper', function* (task) {
      remoteBegin(task, leaf);
      for (let i = 0; i < 20; i++) {
        yield 50 * MS;
        charges += remoteCharge(task, leaf);
      }
    });
    machine.run(Infinity);
    expect([helper.cpuTimeNs, machine.nowNs, charges]).toEqual([1000 * MS, 1000 * MS, 1000 * MS]);
    // Nobody of the group ran, so its timer stood and no debt was paid.
    expect([top.pool.debtNs, middle.pool.debtNs, leaf.pool.debtNs]).toEqual([900 * MS, 0, 990 * MS]);
    expect([top.usageNs, middle.usageNs, leaf.usageNs]).toEqual([1000 * MS, 1000 * MS, 1000 * MS]);
  });

  it('is left out of the usage of the group on request', () => {
    const { group } = setUp({ statRemoteCharges: false });
    group.chargeRemote(30 * MS);
    expect([group.stat().usageNs, group.pool.runtimeNs]).toEqual([0, 170 * MS]);
  });

  it('lets the group run on with the slices that its CPUs hold, or stops it at once', () => {
    const ran = [false, true].map((throttleAtCharge) => {
      const { machine, group } = setUp({ throttleAtCharge });
      const tasks = [0, 1, 2].map((on) => spinner(machine, group, on));
      machine.schedule(
        12 * MS,
        machine.addActor(() => group.chargeRemote(500 * MS)),
        0,
      );
      machine.run(99 * MS);
      return ranMs(machine, ...tasks);
    });
    expect(ran).toEqual([3 * 15, 3 * 12]);
  });

  it('is forgiven when the quota changes', () => {
    const { machine, group } = setUp();
    group.chargeRemote(5000 * MS);
    const task = spinner(machine, group, 0);
    machine.schedule(
      50 * MS,
      machine.addActor(() => group.configure({ quotaNs: 200 * MS })),
      0,
    );
    machine.run(100 * MS);
    expect([ranMs(machine, task), group.pool.debtNs]).toEqual([50, 0]);
  });
});
