// Machines for specs: free context switches and one jiffy of 4 ms unless a spec says otherwise.
import { Machine, type MachineConfig } from '../machine.js';
import type { RcuCosts } from '../rcu/costs.js';
import { Rcu } from '../rcu/rcu.js';
import { RcuBarrier, type RcuBarrierOptions } from '../rcu/rcu-barrier.js';
import type { TaskBody } from '../sched/task.js';

export const MS = 1_000_000;

export function testMachine(cpus = 1, overrides: Partial<MachineConfig> = {}): Machine {
  return new Machine({ cpus, hz: 250, seed: 1, contextSwitchNs: 0, schedSliceNs: 3 * MS, ...overrides });
}

export const RCU_COSTS = {
  gpNs: 10 * MS,
  gpJitterRatio: 0,
  expeditedNs: 50_000,
  callbackNs: 1_000,
  blimit: 10,
  divisor: 7,
  qhimark: 10_000,
  qlowmark: 100,
} satisfies RcuCosts;

export function testRcu(cpus: number, costs: Partial<RcuCosts> = {}, config: Partial<MachineConfig> = {}) {
  const machine = testMachine(cpus, config);
  return { machine, rcu: new Rcu(machine, { ...RCU_COSTS, ...costs }) };
}

export const IPI_NS = 20_000;

export function testBarrier(cpus: number, options: Partial<RcuBarrierOptions> = {}, costs: Partial<RcuCosts> = {}) {
  const { machine, rcu } = testRcu(cpus, costs);
  return { machine, rcu, barrier: new RcuBarrier(machine, rcu, { kind: 'mutex', ipiNs: IPI_NS, ...options }) };
}

/** Calls `what` so many ns from now. */
export function at(machine: Machine, ns: number, what: () => void): void {
  machine.schedule(ns, machine.addActor(what), 0);
}

/** A task that burns CPU time once and then notes when it was done. */
export function burn(machine: Machine, log: [string, number][], name: string, ns: number): () => TaskBody {
  return function* () {
    yield ns;
    log.push([name, machine.nowNs]);
  };
}
