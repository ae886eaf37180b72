// A pthread mutex of user space (glibc nptl/pthread_mutex_lock.c, lowlevellock.h; an ovs_mutex is one): a word that is
// 0 free, 1 taken, 2 taken and somebody may sleep. Who finds it taken tries on for a while (PTHREAD_MUTEX_ADAPTIVE_NP),
// whether the owner runs or not, and then sleeps in futex(2).
//
// Nothing is ever handed over: a release makes the word 0, and any spinner, newcomer or woken sleeper takes it. A release
// of a 2 costs a system call, even when nobody sleeps by then.
import type { Machine } from '../machine.js';
import type { RandomStream } from '../random.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';
import { Lock, type LockOptions } from './lock.js';
import { LockMode } from './lock-probe.js';
import { type SpinPlace, type TaskLocks, WaitList } from './task-locks.js';

export interface UserMutexCosts {
  /** CPU time to spin before sleeping; 0: an ordinary mutex (PTHREAD_MUTEX_TIMED_NP), which does not spin. */
  readonly spinLimitNs: number;
  /** FUTEX_WAIT up to the point where the thread sleeps. */
  readonly futexWaitNs: number;
  /** FUTEX_WAKE, paid by who releases. */
  readonly futexWakeNs: number;
  /** From FUTEX_WAKE until the sleeper is runnable. */
  readonly wakeLatencyNs: number;
}

const enum Word {
  Free,
  Taken,
  Contended,
}

const enum Stage {
  Arriving,
  Spinning,
  /** It saw the word free and has fetched the line: the exchange comes before anybody can take the line away. */
  Exchanging,
  /** In the kernel, about to look at the word once more. */
  EnteringFutex,
  Sleeping,
}

export class UserMutex extends Lock implements SpinPlace {
  readonly kind = 'sleep';
  owner: Task | undefined = undefined;
  /** Calls of FUTEX_WAIT that slept, and of FUTEX_WAKE. */
  sleeps = 0;
  futexWakes = 0;
  private word: Word = Word.Free;
  private readonly spinners = new WaitList();
  private readonly sleepers = new WaitList();
  private random: RandomStream | undefined = undefined;
  private timer = -1;
  private timerAtNs = Infinity;

  constructor(
    machine: Machine,
    name: string,
    private readonly costs: UserMutexCosts,
    options: LockOptions = {},
  ) {
    super(machine, name, options);
  }

  get waiting(): number {
    return this.sleepers.length;
  }

  get spinning(): number {
    return this.spinners.length;
  }

  *lock(): TaskBody {
    for (let wait; (wait = this.acquire()) !== 0;) yield wait;
  }

  /** pthread_mutex_lock() in steps: yield what it returns until that is 0. */
  acquire(): number {
    const task = this.machine.current;
    const wait = this.waitOf(task);
    if (wait !== undefined) return this.goOn(task, wait);
    if (this.owner === task) this.misused(task, 'locks it twice');
    this.probe?.acquire(this, task, LockMode.Exclusive, 0, false);
    if (this.line !== undefined) {
      const ns = this.fetchLine(task, Stage.Arriving);
      if (ns > 0) return ns;
    }
    if (!this.tryTake(task, Word.Taken)) return this.firstMiss(task, this.beginWait(task));
    this.probe?.acquired(this, task, LockMode.Exclusive, 0);
    return 0;
  }

  /** @returns ns of the system call when there is one; yield it. The mutex is free from now on. */
  unlock(): number {
    const task = this.machine.current;
    if (this.owner !== task) this.misused(task, 'unlocks what it does not own');
    this.probe?.release(this, task, LockMode.Exclusive);
    this.releaseLine(task);
    const contended = this.word === Word.Contended;
    this.word = Word.Free;
    this.owner = undefined;
    this.letOneTry();
    return contended ? this.futexWake() : 0;
  }

  /** It stops for now, with what is left of its limit; another may see the free word in its place. */
  spinnerLeftCpu(spinner: TaskLocks): void {
    if (spinner.list !== this.spinners) return;
    this.spinners.remove(spinner);
    spinner.deadlineNs -= this.machine.nowNs;
    spinner.endSpin();
    if (this.word === Word.Free) this.letOneTry();
  }

  private tryTake(task: Task, word: Word): boolean {
    if (this.word !== Word.Free) return false;
    this.word = word;
    this.owner = task;
    return true;
  }

  private firstMiss(task: Task, wait: TaskLocks): number {
    this.probe?.contended(this, task, LockMode.Exclusive);
    return this.costs.spinLimitNs > 0 ? this.spin(wait, this.costs.spinLimitNs) : this.futexWait(task, wait);
  }

  private goOn(task: Task, wait: TaskLocks): number {
    wait.inSpin = false;
    switch (wait.stage) {
      case Stage.Arriving:
        return this.tryTake(task, Word.Taken) ? this.got(task, wait) : this.firstMiss(task, wait);
      case Stage.Spinning:
        return this.afterSpin(task, wait);
      case Stage.Exchanging:
        return this.exchange(task, wait);
      case Stage.EnteringFutex:
        return this.enterFutex(task, wait);
      default:
        return wait.list === this.sleepers ? PARK : this.futexWait(task, wait);
    }
  }

  private spin(wait: TaskLocks, leftNs: number): number {
    wait.stage = Stage.Spinning;
    wait.place = this;
    wait.deadlineNs = this.machine.nowNs + leftNs;
    this.spinners.push(wait);
    this.expectTimeout(wait.deadlineNs);
    return wait.spin();
  }

  /** It saw the word free, or its limit is over, or it is back after it had lost its CPU. */
  private afterSpin(task: Task, wait: TaskLocks): number {
    const ns = this.word === Word.Free ? this.fetchFor(task) : 0;
    if (ns === 0) return this.exchange(task, wait);
    wait.stage = Stage.Exchanging;
    return ns;
  }

  /** The line of the word, to write it: ns until the task's CPU has it. */
  private fetchFor(task: Task): number {
    return this.line === undefined ? 0 : Math.round(this.line.write(task.cpu.index));
  }

  private exchange(task: Task, wait: TaskLocks): number {
    const stayed = wait.list === this.spinners;
    const leftNs = stayed ? wait.deadlineNs - this.machine.nowNs : wait.deadlineNs;
    if (stayed) this.spinners.remove(wait);
    if (this.tryTake(task, Word.Taken)) return this.got(task, wait);
    return leftNs > 0 ? this.spin(wait, leftNs) : this.futexWait(task, wait);
  }

  /** __lll_lock_wait(): the word becomes 2 whatever it was, for others may sleep. */
  private futexWait(task: Task, wait: TaskLocks): number {
    wait.place = undefined;
    if (this.tryTake(task, Word.Contended)) return this.got(task, wait);
    this.word = Word.Contended;
    wait.stage = Stage.EnteringFutex;
    return this.costs.futexWaitNs > 0 ? this.costs.futexWaitNs : this.enterFutex(task, wait);
  }

  /** futex_wait_setup(): sleeps only while the word is still 2. */
  private enterFutex(task: Task, wait: TaskLocks): number {
    if (this.word !== Word.Contended) return this.futexWait(task, wait);
    wait.stage = Stage.Sleeping;
    this.sleeps++;
    this.sleepers.push(wait);
    return PARK;
  }

  private futexWake(): number {
    this.futexWakes++;
    const task = this.sleepers.shift()?.task;
    if (task !== undefined) {
      // Its own sleep timer wakes it, so that a sleeper on its way needs no list.
      const { wakeLatencyNs } = this.costs;
      if (wakeLatencyNs > 0) this.machine.events.push(Math.round(wakeLatencyNs), task.target, task.sleepVersion);
      else this.machine.wake(task);
    }
    return this.costs.futexWakeNs;
  }

  /** Which of the spinners reads the free word first is chance. */
  private letOneTry(): void {
    const { length } = this.spinners;
    if (length === 0) return;
    let spinner = this.spinners.first!;
    if (length > 1) {
      this.random ??= this.machine.random(`user mutex ${this.name}`);
      for (let skip = this.random.below(length); skip > 0; skip--) spinner = spinner.next!;
    }
    const fetchNs = spinner.burns ? this.fetchFor(spinner.task) : 0;
    if (fetchNs > 0) {
      spinner.stage = Stage.Exchanging;
      spinner.endSpinIn(fetchNs);
    } else spinner.endSpin();
  }

  /** One event for all spinners, at the earliest limit. */
  private expectTimeout(deadlineNs: number): void {
    if (deadlineNs >= this.timerAtNs) return;
    if (this.timer < 0) this.timer = this.machine.addActor(() => this.timeout());
    this.timerAtNs = deadlineNs;
    this.machine.schedule(deadlineNs - this.machine.nowNs, this.timer, 0);
  }

  private timeout(): void {
    const { nowNs } = this.machine;
    if (nowNs < this.timerAtNs) return;
    this.timerAtNs = Infinity;
    for (let spinner = this.spinners.first; spinner !== undefined; spinner = spinner.next) {
      if (spinner.deadlineNs <= nowNs) spinner.endSpin();
      else this.expectTimeout(spinner.deadlineNs);
    }
  }

  private got(task: Task, wait: TaskLocks): number {
    wait.end();
    this.probe?.acquired(this, task, LockMode.Exclusive, this.machine.nowNs - wait.startNs);
    return 0;
  }
}
