// Random programs for the machine: tasks that run, sleep, yield, lock, migrate and wake each other. Their trace says at
// which instant and on which CPU every step was over.
import fc from 'fast-check';
import type { Machine } from '../machine.js';
import { Mutex, type MutexOptions } from '../locks/mutex.js';
import { MIGRATE, PARK, type Task, type TaskBody, YIELD } from '../sched/task.js';

export type Step =
  | { readonly do: 'run' | 'sleep'; readonly ns: number }
  | { readonly do: 'yield' | 'ping' }
  | { readonly do: 'lock'; readonly mutex: number; readonly ns: number; readonly asleep: boolean }
  | { readonly do: 'migrate'; readonly cpu: number };

export interface ProgramTask {
  /** The CPU that it is bound to, or undefined. */
  readonly on: number | undefined;
  readonly steps: readonly Step[];
}

const ns = fc.oneof(fc.constantFrom(1, 1_000, 3_000_000), fc.integer({ min: 1, max: 10_000_000 }));

export function stepArbitrary(kinds: readonly Step['do'][], cpus: number): fc.Arbitrary<Step> {
  const byKind: Record<Step['do'], fc.Arbitrary<Step>> = {
    run: ns.map((n) => ({ do: 'run', ns: n })),
    sleep: ns.map((n) => ({ do: 'sleep', ns: n })),
    yield: fc.constant({ do: 'yield' }),
    ping: fc.constant({ do: 'ping' }),
    lock: fc.record({ mutex: fc.nat({ max: 1 }), ns, asleep: fc.boolean() }).map((lock) => ({ do: 'lock', ...lock })),
    migrate: fc.nat({ max: cpus - 1 }).map((cpu) => ({ do: 'migrate', cpu })),
  };
  return fc.oneof(...kinds.map((kind) => byKind[kind]));
}

export function programArbitrary(cpus: number, kinds: readonly Step['do'][]): fc.Arbitrary<ProgramTask[]> {
  const task = fc.record({
    on: fc.option(fc.nat({ max: cpus - 1 }), { nil: undefined }),
    steps: fc.array(stepArbitrary(kinds, cpus), { minLength: 1, maxLength: 12 }),
  });
  return fc.array(task, { minLength: 1, maxLength: 8 });
}

export interface ProgramResult {
  readonly trace: number[];
  readonly tasks: Task[];
  /** CPU time that the steps of each task ask for. */
  readonly requestedNs: number[];
  readonly mutexes: Mutex[];
  readonly pingsSent: number;
  readonly pingsSeen: number;
  /** Sleeps that ended before their time. */
  readonly shortSleeps: number;
}

export function runProgram(
  machine: Machine,
  program: readonly ProgramTask[],
  options: MutexOptions = {},
): ProgramResult {
  const trace: number[] = [];
  const mutexes = [new Mutex(machine, 'a', options), new Mutex(machine, 'b', options)];
  let [pending, pingsSent, pingsSeen, shortSleeps] = [0, 0, 0, 0];

  const listener = machine.spawn('listener', function* (): TaskBody {
    for (;;) {
      while (pending === 0) yield PARK;
      pingsSeen += pending;
      pending = 0;
      yield 700;
    }
  });

  function* sleep(forNs: number): TaskBody {
    const endNs = machine.nowNs + forNs;
    yield machine.sleep(forNs);
    if (machine.nowNs < endNs) shortSleeps++;
  }

  function* runStep(step: Step, task: Task): TaskBody {
    switch (step.do) {
      case 'run':
        yield step.ns;
        return;
      case 'sleep':
        yield* sleep(step.ns);
        return;
      case 'yield':
        yield YIELD;
        return;
      case 'ping':
        pending++;
        pingsSent++;
        machine.wake(listener);
        return;
      case 'lock':
        yield* mutexes[step.mutex]!.lock();
        if (step.asleep) yield* sleep(step.ns);
        else yield step.ns;
        mutexes[step.mutex]!.unlock();
        return;
      case 'migrate':
        task.cpu = machine.cpus[step.cpu]!;
        yield MIGRATE;
    }
  }

  const tasks = program.map(({ on, steps }, index) => {
    const body = function* (task: Task): TaskBody {
      for (const [at, step] of steps.entries()) {
        yield* runStep(step, task);
        trace.push(machine.nowNs, index, at, task.cpu.index);
      }
    };
    return machine.spawn(`task ${index}`, body, on === undefined ? {} : { on: machine.cpus[on]! });
  });
  machine.run(Infinity);
  const requestedNs = program.map(({ steps }) =>
    steps.reduce((sum, s) => sum + (s.do === 'run' || (s.do === 'lock' && !s.asleep) ? s.ns : 0), 0),
  );
  return { trace, tasks, requestedNs, mutexes, pingsSent, pingsSeen, shortSleeps };
}
