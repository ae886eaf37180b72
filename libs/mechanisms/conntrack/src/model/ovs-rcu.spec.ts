import { Machine, type TaskBody } from '@kworkbench/machine';
import { describe, expect, it } from 'vitest';
import { OvsRcu } from './ovs-rcu.js';

function build() {
  const machine = new Machine({ cpus: 3, hz: 250, seed: 1, contextSwitchNs: 0 });
  const freedNs: number[] = [];
  const rcu = new OvsRcu({ machine, freeNs: 100, free: () => freedNs.push(machine.nowNs) });
  return { machine, freedNs, rcu };
}

describe('a grace period of user space', () => {
  it('ends when every thread that is awake has quiesced', () => {
    const { machine, freedNs, rcu } = build();
    const [reader, writer] = [rcu.register(), rcu.register()];
    rcu.start(2);
    const read = function* (): TaskBody {
      rcu.wake(reader);
      yield 5_000;
      rcu.quiesce(reader);
      yield 5_000;
    };
    const write = function* (): TaskBody {
      rcu.wake(writer);
      yield 1_000;
      rcu.postpone(7);
      rcu.sleep(writer);
    };
    machine.spawn('reader', read, { on: machine.cpus[0]! });
    machine.spawn('writer', write, { on: machine.cpus[1]! });
    machine.run(Infinity);
    expect(freedNs).toEqual([5_000]);
    expect(rcu.gracePeriods).toBe(1);
    expect(rcu.cpuTimeNs).toBe(100);
  });

  it('does not wait for a thread that sleeps, nor for one that wakes later', () => {
    const { machine, freedNs, rcu } = build();
    const late = rcu.register();
    rcu.start(2);
    const body = function* (): TaskBody {
      rcu.postpone(7);
      yield 10;
      rcu.wake(late);
      yield 50_000;
    };
    machine.spawn('late', body, { on: machine.cpus[0]! });
    machine.run(Infinity);
    expect(freedNs).toEqual([0]);
  });
});
