// struct mutex as in kernel/locking/mutex.c: an owner, FIFO waiters, the HANDOFF flag and optimistic spinning.
//
// A free mutex may be taken by a running task ahead of the waiters (stealing). Who finds it taken spins while the owner
// runs, and sleeps when it does not. Unlock wakes the head waiter; on waking it takes the mutex, or if that was stolen
// sets HANDOFF and spins or sleeps again, and the next unlock gives the mutex to it.
//
// Invariants: at most one owner; who waits is on the wait list or in the spin queue; HANDOFF only while there is an owner.
import type { Machine } from '../machine.js';
import type { RandomStream } from '../random.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';
import { Lock, type LockOptions } from './lock.js';
import { LockMode } from './lock-probe.js';
import { OwnerSpin } from './owner-spin.js';
import { type TaskLocks, WaitList } from './task-locks.js';

export interface MutexOptions extends LockOptions {
  /** First come, first served: unlock always hands over and nobody spins. */
  readonly fair?: boolean;
  /** Chance that a running task takes a free mutex that has waiters; 1 is the kernel's code. */
  readonly stealProbability?: number;
  /** CONFIG_MUTEX_SPIN_ON_OWNER; true is the kernel on SMP. */
  readonly spinOnOwner?: boolean;
}

const enum Stage {
  /** The line is on its way. */
  Arriving,
  Spinning,
  Waiting,
  /** On the wait list too, after a wakeup in vain. */
  WaiterSpinning,
}

export class Mutex extends Lock {
  readonly kind = 'sleep';
  owner: Task | undefined = undefined;
  steals = 0;
  handoffs = 0;
  waitersMax = 0;
  private readonly waiters = new WaitList();
  private handoff = false;
  private readonly fair: boolean;
  private readonly stealProbability: number;
  private readonly spinOnOwner: boolean;
  private spin: OwnerSpin | undefined = undefined;
  private random: RandomStream | undefined = undefined;

  constructor(machine: Machine, name: string, options: MutexOptions = {}) {
    super(machine, name, options);
    this.fair = options.fair ?? false;
    this.stealProbability = options.stealProbability ?? 1;
    this.spinOnOwner = !this.fair && (options.spinOnOwner ?? true);
  }

  /** Sleeping waiters. */
  get waiting(): number {
    return this.waiters.length;
  }

  get spinning(): number {
    return this.spin === undefined ? 0 : this.spin.spinning;
  }

  /** `yield* mutex.lock()`: returns when the current task owns the mutex. */
  *lock(subclass = 0): TaskBody {
    for (let wait; (wait = this.acquire(subclass)) !== 0;) yield wait;
  }

  /** mutex_lock_nested() in steps: yield what it returns until that is 0. */
  acquire(subclass = 0): number {
    const task = this.machine.current;
    const wait = this.waitOf(task);
    if (wait !== undefined) return this.goOn(task, wait);
    if (this.owner === task) this.misused(task, 'locks it twice');
    this.probe?.acquire(this, task, LockMode.Exclusive, subclass, false);
    if (this.line !== undefined) {
      const ns = this.fetchLine(task, Stage.Arriving);
      if (ns > 0) return ns;
    }
    if (!this.tryTake(task)) return this.slowPath(task, this.beginWait(task));
    this.probe?.acquired(this, task, LockMode.Exclusive, 0);
    return 0;
  }

  /** mutex_trylock(): the line costs nothing here. */
  tryLock(): boolean {
    const task = this.machine.current;
    if (!this.tryTake(task)) return false;
    this.probe?.acquire(this, task, LockMode.Exclusive, 0, true);
    this.probe?.acquired(this, task, LockMode.Exclusive, 0);
    return true;
  }

  unlock(): void {
    const task = this.machine.current;
    if (this.owner !== task) this.misused(task, 'unlocks what it does not own');
    this.probe?.release(this, task, LockMode.Exclusive);
    this.releaseLine(task);
    const head = this.waiters.first;
    if (head !== undefined && (this.handoff || this.fair)) {
      this.handOver(head);
      return;
    }
    this.owner = undefined;
    this.spin?.released();
    if (head !== undefined) this.machine.wake(head.task);
  }

  /** __mutex_handoff(). */
  private handOver(head: TaskLocks): void {
    this.waiters.remove(head);
    this.handoff = false;
    this.handoffs++;
    const spun = head.stage === Stage.WaiterSpinning;
    if (spun && !head.spinFailed) {
      this.spin!.leave(head);
      head.endSpin();
    }
    // Those who spin see an owner that does not run before it is woken.
    this.own(head.task);
    if (!spun) this.machine.wake(head.task);
  }

  private own(task: Task): void {
    this.owner = task;
    this.spin?.ownedBy(task);
    this.spin?.look();
  }

  /** A running task that is not on the wait list takes the mutex if it is free. */
  private tryTake(task: Task): boolean {
    if (this.owner !== undefined) return false;
    if (this.waiters.length > 0) {
      if (this.fair || !this.maySteal()) return false;
      this.steals++;
    }
    this.own(task);
    return true;
  }

  private maySteal(): boolean {
    if (this.stealProbability >= 1) return true;
    this.random ??= this.machine.random(`mutex ${this.name}`);
    return this.random.chance(this.stealProbability);
  }

  /** __mutex_lock_common() after the first attempt has failed. */
  private slowPath(task: Task, wait: TaskLocks): number {
    this.probe?.contended(this, task, LockMode.Exclusive);
    if (!this.canSpin()) return this.enqueue(wait);
    this.spin ??= new OwnerSpin(this.machine, this.line);
    wait.stage = Stage.Spinning;
    return this.spin.join(wait, this.owner);
  }

  /** mutex_can_spin_on_owner(). */
  private canSpin(): boolean {
    return this.spinOnOwner && this.owner !== undefined && this.owner.onCpu;
  }

  private enqueue(wait: TaskLocks): number {
    wait.stage = Stage.Waiting;
    this.waiters.push(wait);
    if (this.waiters.length > this.waitersMax) this.waitersMax = this.waiters.length;
    return PARK;
  }

  private goOn(task: Task, wait: TaskLocks): number {
    wait.inSpin = false;
    switch (wait.stage) {
      case Stage.Arriving:
        return this.tryTake(task) ? this.got(task, wait) : this.slowPath(task, wait);
      case Stage.Spinning:
        return this.afterSpin(task, wait);
      default:
        return this.afterWakeup(task, wait);
    }
  }

  /** In the spin queue, unless it failed: the mutex was free a moment ago. */
  private afterSpin(task: Task, wait: TaskLocks): number {
    if (!wait.spinFailed) {
      const { line } = this;
      // It saw the release because its copy of the line was invalidated; somebody else may be faster meanwhile.
      const ns = line === undefined || this.owner !== undefined ? 0 : Math.round(line.write(task.cpu.index));
      if (ns > 0) return ns;
      if (this.owner !== undefined) return wait.spin();
      this.spin!.leave(wait);
    }
    if (this.tryTake(task)) return this.got(task, wait);
    // It must not steal; the next in the spin queue sees a free mutex too.
    if (this.owner === undefined) this.spin!.released();
    return this.enqueue(wait);
  }

  /** On the wait list, unless unlock has handed the mutex over. */
  private afterWakeup(task: Task, wait: TaskLocks): number {
    if (this.owner === task) return this.got(task, wait);
    const first = this.waiters.first === wait;
    const spun = wait.stage === Stage.WaiterSpinning;
    if (spun && !wait.spinFailed) this.spin!.leave(wait);
    wait.stage = Stage.Waiting;
    if (this.owner === undefined) {
      this.waiters.remove(wait);
      this.own(task);
      return this.got(task, wait);
    }
    if (!first) return PARK;
    this.handoff = true;
    if ((spun && wait.spinFailed) || !this.canSpin()) return PARK;
    this.spin ??= new OwnerSpin(this.machine, this.line);
    wait.stage = Stage.WaiterSpinning;
    return this.spin.joinAsWaiter(wait, this.owner);
  }

  private got(task: Task, wait: TaskLocks): number {
    wait.end();
    this.probe?.acquired(this, task, LockMode.Exclusive, this.machine.nowNs - wait.startNs);
    return 0;
  }
}
