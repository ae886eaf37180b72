// Random programs for the machine: tasks that run, sleep, yield, lock, migrate, fork, change their priority and their
// group, and wake each other. A program is data; program.ts runs it.
import fc from 'fast-check';

export type Step =
  | { readonly do: 'run' | 'sleep' | 'user'; readonly ns: number }
  | { readonly do: 'yield' | 'ping' | 'exit' }
  | { readonly do: 'lock'; readonly mutex: number; readonly ns: number; readonly asleep: boolean }
  | { readonly do: 'migrate'; readonly cpu: number }
  /** A child of its own, which nobody waits for. */
  | { readonly do: 'fork'; readonly steps: readonly Step[] }
  | { readonly do: 'section'; readonly kind: 'preempt' | 'bh' | 'irq'; readonly ns: number }
  | { readonly do: 'renice'; readonly nice: number }
  /** A bit per CPU; not 0. */
  | { readonly do: 'affinity'; readonly cpus: number }
  | { readonly do: 'fifo'; readonly priority: number }
  | { readonly do: 'fair' }
  /** Into a group of the program, or into the root group. */
  | { readonly do: 'join'; readonly group: number | undefined }
  | { readonly do: 'quota'; readonly group: number; readonly quotaNs: number }
  /** Runs on behalf of a group. */
  | { readonly do: 'remote'; readonly group: number; readonly ns: number }
  /** Holds memory while it runs. */
  | { readonly do: 'alloc'; readonly bytes: number; readonly ns: number }
  | { readonly do: 'rwsem'; readonly write: boolean; readonly ns: number; readonly asleep: boolean }
  | { readonly do: 'spinlock'; readonly bh: boolean; readonly ns: number }
  /** An RCU reader; memory that is freed after a grace period. */
  | { readonly do: 'reader'; readonly ns: number }
  | { readonly do: 'defer'; readonly bytes: number }
  /** Begun here, done by others. */
  | { readonly do: 'work'; readonly queue: number; readonly ns: number; readonly bytes: number }
  | { readonly do: 'timer'; readonly ns: number };

export interface ProgramTask {
  /** The CPU that it is bound to, or undefined. */
  readonly on: number | undefined;
  /** The group that it starts in. */
  readonly group?: number | undefined;
  readonly steps: readonly Step[];
}

/** Groups of every program: a tight one, a child of it that may burst, and a wide one. */
export const GROUP_COUNT = 3;

type Kind = Step['do'];
export const SCHEDULER_STEPS: readonly Kind[] = ['run', 'user', 'sleep', 'yield', 'ping', 'fork', 'exit', 'renice'];
const PLACING_STEPS: readonly Kind[] = ['migrate', 'affinity', 'fifo', 'fair', 'section'];
const LOCK_STEPS: readonly Kind[] = ['lock', 'rwsem', 'spinlock'];
const BANDWIDTH_STEPS: readonly Kind[] = ['join', 'quota', 'remote'];
const RCU_STEPS: readonly Kind[] = ['reader', 'defer'];

/** Steps after which a task may still run anywhere, at once. */
export const FREE_STEPS: readonly Kind[] = [...SCHEDULER_STEPS, ...LOCK_STEPS];

/** What exercises each part of the machine. The golden digests rest on the order of these lists. */
export const PARTS = {
  scheduler: [...SCHEDULER_STEPS, ...PLACING_STEPS],
  bandwidth: [...SCHEDULER_STEPS, ...BANDWIDTH_STEPS],
  locks: [...SCHEDULER_STEPS, ...LOCK_STEPS],
  rcu: [...SCHEDULER_STEPS, ...RCU_STEPS],
  workqueue: [...SCHEDULER_STEPS, 'alloc', 'work'],
  timers: [...SCHEDULER_STEPS, 'timer'],
} as const satisfies Record<string, readonly Kind[]>;

export const ALL_STEPS: readonly Kind[] = [...new Set(Object.values(PARTS).flat())];

const MS = 1_000_000;
const ns = fc.oneof(fc.constantFrom(1, 1_000, 3 * MS), fc.integer({ min: 1, max: 10 * MS }));
const shortNs = fc.integer({ min: 1, max: 100_000 });
const bytes = fc.integer({ min: 1, max: 1 << 20 });
const group = fc.nat({ max: GROUP_COUNT - 1 });

export function stepArbitrary(kinds: readonly Kind[], cpus: number): fc.Arbitrary<Step> {
  const plain = <K extends 'run' | 'sleep' | 'user'>(kind: K) => ns.map((n): Step => ({ do: kind, ns: n }));
  const leaves = kinds.filter((kind) => kind !== 'fork');
  const arbitraryOf: Record<Step['do'], () => fc.Arbitrary<Step>> = {
    run: () => plain('run'),
    sleep: () => plain('sleep'),
    user: () => plain('user'),
    yield: () => fc.constant({ do: 'yield' }),
    ping: () => fc.constant({ do: 'ping' }),
    exit: () => fc.constant({ do: 'exit' }),
    lock: () => fc.record({ do: fc.constant('lock'), mutex: fc.nat({ max: 1 }), ns, asleep: fc.boolean() }),
    migrate: () => fc.record({ do: fc.constant('migrate'), cpu: fc.nat({ max: cpus - 1 }) }),
    fork: () => fc.record({ do: fc.constant('fork'), steps: fc.array(stepArbitrary(leaves, cpus), { maxLength: 4 }) }),
    section: () =>
      fc.record({ do: fc.constant('section'), kind: fc.constantFrom('preempt', 'bh', 'irq'), ns: shortNs }),
    renice: () => fc.record({ do: fc.constant('renice'), nice: fc.integer({ min: -20, max: 19 }) }),
    affinity: () => fc.record({ do: fc.constant('affinity'), cpus: fc.integer({ min: 1, max: 2 ** cpus - 1 }) }),
    fifo: () => fc.record({ do: fc.constant('fifo'), priority: fc.integer({ min: 1, max: 99 }) }),
    fair: () => fc.constant({ do: 'fair' }),
    join: () => fc.record({ do: fc.constant('join'), group: fc.option(group, { nil: undefined }) }),
    quota: () => fc.record({ do: fc.constant('quota'), group, quotaNs: fc.integer({ min: MS, max: 20 * MS }) }),
    remote: () => fc.record({ do: fc.constant('remote'), group, ns }),
    alloc: () => fc.record({ do: fc.constant('alloc'), bytes, ns: shortNs }),
    rwsem: () => fc.record({ do: fc.constant('rwsem'), write: fc.boolean(), ns, asleep: fc.boolean() }),
    spinlock: () => fc.record({ do: fc.constant('spinlock'), bh: fc.boolean(), ns: shortNs }),
    reader: () => fc.record({ do: fc.constant('reader'), ns }),
    defer: () => fc.record({ do: fc.constant('defer'), bytes }),
    work: () => fc.record({ do: fc.constant('work'), queue: fc.nat({ max: 2 }), ns: shortNs, bytes }),
    timer: () => fc.record({ do: fc.constant('timer'), ns: fc.integer({ min: 1, max: 100 * MS }) }),
  };
  return fc.oneof(...kinds.map((kind) => arbitraryOf[kind]()));
}

export function programArbitrary(cpus: number, kinds: readonly Kind[]): fc.Arbitrary<ProgramTask[]> {
  const task = fc.record({
    on: fc.option(fc.nat({ max: cpus - 1 }), { nil: undefined }),
    group: kinds.includes('join') ? fc.option(group, { nil: undefined }) : fc.constant(undefined),
    steps: fc.array(stepArbitrary(kinds, cpus), { minLength: 1, maxLength: 20, size: 'max' }),
  });
  return fc.array(task, { minLength: 1, maxLength: 8, size: 'max' });
}
