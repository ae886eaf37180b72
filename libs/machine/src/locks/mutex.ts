// struct mutex as in kernel/locking/mutex.c: an owner, FIFO waiters and the HANDOFF flag.
//
// A free mutex may be taken by a running task ahead of the waiters (stealing). The head waiter is woken by unlock; on
// waking it sets HANDOFF and tries; if the mutex was stolen it sleeps again, and the next unlock gives it the mutex.
// No optimistic spinning: the owner of the mutexes modelled so far sleeps while it holds them.
import { Histogram } from '@kworkbench/telemetry';
import { Deque } from '../deque.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import type { RandomStream } from '../random.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';

export interface MutexOptions {
  /** First come, first served: unlock always hands over. */
  readonly fair?: boolean;
  /** Chance that a running task takes a free mutex that has waiters; 1 is the kernel's code. */
  readonly stealProbability?: number;
}

export class Mutex {
  owner: Task | undefined;
  steals = 0;
  waitersMax = 0;
  readonly waitNs: Histogram;
  private readonly waiters = new Deque<Task>();
  private handoff = false;
  private readonly random: RandomStream;
  private readonly fair: boolean;
  private readonly stealProbability: number;

  constructor(
    private readonly machine: Machine,
    readonly name: string,
    options: MutexOptions = {},
  ) {
    this.fair = options.fair ?? false;
    this.stealProbability = options.stealProbability ?? 1;
    this.random = machine.random(`mutex ${name}`);
    this.waitNs = new Histogram({
      name: `${name}_wait_seconds`,
      unit: 'seconds',
      help: `Time to get ${name}`,
      scale: 1e-9,
    });
  }

  get waiting(): number {
    return this.waiters.length;
  }

  /** `yield* mutex.lock()`: returns when the current task owns the mutex. */
  *lock(): TaskBody {
    const task = this.machine.current;
    invariant(this.owner !== task, `${this.name}: ${task.name} locks it twice`);
    if (this.tryLock(task)) {
      this.waitNs.record(0);
      return;
    }
    const startNs = this.machine.nowNs;
    this.waiters.push(task);
    if (this.waiters.length > this.waitersMax) this.waitersMax = this.waiters.length;
    for (;;) {
      yield PARK;
      if (this.owner === task) break;
      if (this.waiters.peek() !== task) continue;
      if (this.owner === undefined) {
        this.waiters.shift();
        this.owner = task;
        this.handoff = false;
        break;
      }
      this.handoff = true;
    }
    this.waitNs.record(this.machine.nowNs - startNs);
  }

  unlock(): void {
    const task = this.machine.current;
    invariant(this.owner === task, `${this.name}: ${task.name} unlocks what it does not own`);
    const head = this.waiters.peek();
    if (head === undefined) {
      this.owner = undefined;
      return;
    }
    if (this.handoff || this.fair) {
      this.waiters.shift();
      this.owner = head;
      this.handoff = false;
    } else {
      this.owner = undefined;
    }
    this.machine.wake(head);
  }

  private tryLock(task: Task): boolean {
    if (this.owner !== undefined || this.handoff) return false;
    if (this.waiters.length > 0) {
      if (this.fair || !this.random.chance(this.stealProbability)) return false;
      this.steals++;
    }
    this.owner = task;
    return true;
  }
}
