// RCU of user space (lib/ovs-rcu.c): every thread quiesces once per iteration of its loop, or while it sleeps. What was
// postponed runs on the urcu thread, after every thread has quiesced: that thread takes the CPU time of the frees.
//
// Invariant: a callback runs only after each registered thread has quiesced, or slept, since it was postponed.
import { invariant, type Machine, PARK, Routine, type Task } from '@kworkbench/machine';

/** Frees in one burst; the thread can be preempted anywhere, so this only sets how fine the time of each is. */
const CHUNK = 64;

const enum Step {
  Idle,
  Waiting,
  Freeing,
}

export interface OvsRcuOptions {
  readonly machine: Machine;
  /** CPU time of one free. */
  readonly freeNs: number;
  readonly free: (conn: number) => void;
}

export class OvsRcu {
  postponed = 0;
  postponedMax = 0;
  gracePeriods = 0;
  /** Called when nothing waits to be freed any more. */
  onIdle: (() => void) | undefined = undefined;
  private task: Task | undefined = undefined;
  /** Postponed since the grace period under way began, and those that it will free. */
  private next: number[] = [];
  private current: number[] = [];
  /** Per thread: asleep, or the number of the grace period that it has quiesced in. */
  private readonly seen: number[] = [];
  private readonly asleep: boolean[] = [];
  private epoch = 0;
  private holdouts = 0;

  constructor(private readonly options: OvsRcuOptions) {}

  /** Spawns the urcu thread. */
  start(cpu: number): void {
    const { machine } = this.options;
    const spawned = { near: machine.cpus[cpu]!, userMode: true };
    this.task = machine.spawn('urcu', () => new UrcuThread(this, this.options), spawned);
  }

  /** @returns the number of a thread, which is quiescent until it first calls {@link wake}. */
  register(): number {
    this.asleep.push(true);
    return this.seen.push(0) - 1;
  }

  /** ovsrcu_postpone(free, conn) */
  postpone(conn: number): void {
    this.postponed++;
    if (this.postponed > this.postponedMax) this.postponedMax = this.postponed;
    this.next.push(conn);
    if (this.next.length === 1 && this.current.length === 0) this.options.machine.wake(this.task!);
  }

  /** ovsrcu_quiesce(): the thread has no pointer from before. */
  quiesce(thread: number): void {
    if (this.seen[thread] === this.epoch) return;
    this.seen[thread] = this.epoch;
    if (this.asleep[thread] === true) return;
    this.arrived();
  }

  /** ovsrcu_quiesce_start() */
  sleep(thread: number): void {
    this.quiesce(thread);
    this.asleep[thread] = true;
  }

  /** ovsrcu_quiesce_end() */
  wake(thread: number): void {
    this.asleep[thread] = false;
    this.seen[thread] = this.epoch;
  }

  /** Of the urcu thread. */
  get cpuTimeNs(): number {
    return this.task!.cpuTimeNs;
  }

  get pending(): number {
    return this.postponed;
  }

  /** For the urcu thread: begins a grace period; false when nothing waits for one. */
  begin(): boolean {
    if (this.next.length === 0) return false;
    [this.current, this.next] = [this.next, this.current];
    this.epoch++;
    this.holdouts = this.asleep.filter((asleep) => !asleep).length;
    return true;
  }

  get over(): boolean {
    return this.holdouts === 0;
  }

  /** For the urcu thread: takes up to `count` callbacks whose time has come. */
  takeReady(count: number): number {
    invariant(this.over, 'P4: a callback before the end of its grace period');
    let taken = 0;
    for (; taken < count && this.current.length > 0; taken++) {
      this.options.free(this.current.pop()!);
      this.postponed--;
    }
    return taken;
  }

  private arrived(): void {
    if (--this.holdouts > 0) return;
    this.gracePeriods++;
    this.options.machine.wake(this.task!);
  }
}

class UrcuThread extends Routine {
  private step_ = Step.Idle;

  constructor(
    private readonly rcu: OvsRcu,
    private readonly options: OvsRcuOptions,
  ) {
    super();
  }

  protected step(): number {
    for (;;) {
      switch (this.step_) {
        case Step.Idle:
          if (!this.rcu.begin()) {
            this.rcu.onIdle?.();
            return PARK;
          }
          this.step_ = Step.Waiting;
          break;
        case Step.Waiting:
          if (!this.rcu.over) return PARK;
          this.step_ = Step.Freeing;
          break;
        case Step.Freeing: {
          const freed = this.rcu.takeReady(CHUNK);
          if (freed > 0) return Math.max(1, freed * this.options.freeNs);
          this.step_ = Step.Idle;
        }
      }
    }
  }
}
