// Random programs for one lock: tasks on few CPUs that enter sections under it and look at what the others do meanwhile.
import fc from 'fast-check';
import { CacheLines } from '../hardware/cache-line.js';
import { Topology } from '../hardware/topology.js';
import { invariant } from '../invariant.js';
import type { LockLine } from '../locks/lock.js';
import type { Machine } from '../machine.js';
import { SchedClass, type Task, type TaskBody } from '../sched/task.js';

/** One lock under test. */
export interface Guard {
  enter(write: boolean): number;
  /** ns that leaving costs. */
  leave(write: boolean): number;
  /** Whether nobody has it or waits for it. */
  isIdle(): boolean;
  readonly readers: boolean;
  readonly maySleepInside: boolean;
}

export interface LockSection {
  readonly thinkNs: number;
  readonly holdNs: number;
  readonly asleep: boolean;
  readonly write: boolean;
}

export interface LockTask {
  readonly on: number | undefined;
  readonly fifo: boolean;
  readonly userMode: boolean;
  readonly sections: readonly LockSection[];
}

export interface LockRun {
  readonly trace: number[];
  readonly tasks: Task[];
  /** CPU time that the sections asked for. */
  readonly requestedNs: number[];
}

const ns = fc.oneof(fc.constantFrom(0, 1, 500, 20_000), fc.integer({ min: 1, max: 3_000_000 }));

export function lockProgramArbitrary(cpus: number): fc.Arbitrary<LockTask[]> {
  const section = fc.record({ thinkNs: ns, holdNs: ns, asleep: fc.boolean(), write: fc.boolean() });
  const task = fc.record({
    on: fc.option(fc.nat({ max: cpus - 1 }), { nil: undefined }),
    fifo: fc.boolean(),
    userMode: fc.boolean(),
    sections: fc.array(section, { minLength: 1, maxLength: 8 }),
  });
  return fc.array(task, { minLength: 2, maxLength: 8 });
}

export function lineOf(machine: Machine): LockLine {
  const costs = { nearNs: 30, farNs: 60, memoryNs: 80 };
  return new CacheLines(machine, new Topology(machine.cpus.length), costs).line();
}

/** Interrupts a CPU again and again, so that holders and waiters lose theirs at odd times. */
export function disturb(machine: Machine, times: number, everyNs: number): void {
  const [cpu] = machine.cpus;
  const body = function* (): TaskBody {
    for (let i = 0; i < times; i++) {
      yield machine.sleep(everyNs);
      yield 1_500;
    }
  };
  machine.spawn('softirq', body, { on: cpu!, schedClass: SchedClass.Softirq });
}

/** @throws when a section is not exclusive, or somebody is left over. */
export function runLockProgram(machine: Machine, program: readonly LockTask[], guard: Guard): LockRun {
  const trace: number[] = [];
  const requestedNs: number[] = [];
  let readers = 0;
  let writers = 0;

  function* body(task: Task, index: number, sections: readonly LockSection[]): TaskBody {
    for (const { thinkNs, holdNs, asleep, write } of sections) {
      const exclusive = write || !guard.readers;
      yield thinkNs;
      for (let wait; (wait = guard.enter(write)) !== 0;) yield wait;
      invariant(writers === 0 && (!exclusive || readers === 0), 'two are inside');
      if (exclusive) writers++;
      else readers++;
      trace.push(machine.nowNs, index, task.cpu.index);
      const sleeps = asleep && guard.maySleepInside;
      if (sleeps) yield machine.sleep(holdNs);
      else yield holdNs;
      requestedNs[index]! += thinkNs + (sleeps ? 0 : holdNs);
      if (exclusive) writers--;
      else readers--;
      const ns = guard.leave(write);
      requestedNs[index]! += ns;
      yield ns;
    }
  }

  const tasks = program.map(({ on, fifo, userMode, sections }, index) => {
    requestedNs.push(0);
    const options = {
      userMode: userMode && guard.maySleepInside,
      schedClass: fifo ? SchedClass.Fifo : SchedClass.Fair,
      ...(on === undefined ? {} : { on: machine.cpus[on]! }),
    };
    return machine.spawn(`task ${index}`, (task) => body(task, index, sections), options);
  });
  machine.run(Infinity);
  invariant(machine.scheduler.liveTasks === 0, 'somebody waits for ever');
  invariant(guard.isIdle(), 'the lock is not free at the end');
  return { trace, tasks, requestedNs };
}
