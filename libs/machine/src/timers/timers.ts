// Timers as in kernel/time/timer.c: jiffies, a wheel per CPU, the timer softirq, and what sleeps by them.
//
// The functions of a CPU's timers run one after the other in softirq context on that CPU, at the tick at which their
// bucket expires or as soon after it as the CPU lets softirqs run. A CPU without timers costs nothing, and neither does
// a timer that is removed or moved before its time: no tick is simulated that has nothing to expire.
import type { Cpu } from '../sched/cpu.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { PARK, SchedClass, SPIN, type Task, type TaskBody } from '../sched/task.js';
import { TimerBase } from './timer-base.js';
import { Timer } from './timer.js';
import { levelDepth } from './wheel.js';

export interface TimersConfig {
  /** `jiffies` at time 0. It decides where the granules of the wheel's levels begin. */
  readonly jiffiesAtStart?: number;
  /** What msleep() adds to its time: 1 before Linux 6.13. */
  readonly msleepExtraJiffies?: number;
}

const ofMachine = new WeakMap<Machine, Timers>();

export class Timers {
  readonly hz: number;
  private readonly depth: number;
  private readonly jiffiesAtStart: number;
  private readonly msleepExtraJiffies: number;
  private readonly bases: (TimerBase | undefined)[];
  private readonly tickActor: number;
  /** Timers of schedule_timeout() that nobody uses. */
  private readonly freeTimeouts: Timeout[] = [];

  constructor(
    private readonly machine: Machine,
    config: TimersConfig = {},
  ) {
    invariant(!ofMachine.has(machine), 'timers: a machine has one set of them');
    ofMachine.set(machine, this);
    this.hz = Math.round(1e9 / machine.jiffyNs);
    this.depth = levelDepth(this.hz);
    this.jiffiesAtStart = config.jiffiesAtStart ?? 0;
    this.msleepExtraJiffies = config.msleepExtraJiffies ?? 1;
    this.bases = new Array<TimerBase | undefined>(machine.cpus.length).fill(undefined);
    this.tickActor = machine.addActor((cpuIndex) => this.tick(this.bases[cpuIndex]!));
  }

  /** The timers of a machine; made with the defaults when it has none yet. */
  static of(machine: Machine): Timers {
    return ofMachine.get(machine) ?? new Timers(machine);
  }

  get jiffies(): number {
    return this.jiffiesAtStart + Math.floor(this.machine.nowNs / this.machine.jiffyNs);
  }

  /** nsecs_to_jiffies() and the like as used for time-outs: rounded up. */
  jiffiesOf(ns: number): number {
    return Math.ceil(ns / this.machine.jiffyNs);
  }

  /**
   * mod_timer(): calls the function of `timer` at jiffy `expires` or after, by one granule of its level at most. On the
   * CPU of the current task, or where the timer was before when no task runs. True when it was pending.
   */
  mod(timer: Timer, expires: number): boolean {
    const here = this.machine.scheduler.current?.cpu;
    return this.modOn(timer, here ?? timer.base?.cpu ?? this.machine.cpus[0]!, expires);
  }

  /** The same on a CPU that is told (add_timer_on()). A timer whose function runs stays with that CPU. */
  modOn(timer: Timer, cpu: Cpu, expires: number): boolean {
    const { jiffies } = this;
    const { base, pending } = timer;
    if (pending) {
      const { wheel } = base!;
      if (timer.expires === expires) return true;
      wheel.forward(jiffies);
      if (wheel.staysInBucket(timer, expires)) {
        timer.expires = expires;
        return true;
      }
      wheel.remove(timer);
    }
    const target = base?.running === timer ? base : this.baseOf(cpu);
    timer.base = target;
    target.wheel.forward(jiffies);
    target.wheel.enqueue(timer, expires);
    this.arm(target);
    return pending;
  }

  /** timer_delete(): true when it was pending. Its function may be running. */
  delete(timer: Timer): boolean {
    if (!timer.pending) return false;
    timer.base!.wheel.remove(timer);
    return true;
  }

  /** `yield* timers.deleteSync(timer)`, timer_delete_sync(): on return it is not pending and its function does not run. */
  *deleteSync(timer: Timer): TaskBody {
    const task = this.machine.current;
    this.delete(timer);
    while (timer.base?.running === timer) {
      invariant(timer.base.softirq !== task, 'timers: a function waits for itself to end');
      timer.base.waiters.push(task);
      // The kernel's cpu_relax().
      yield SPIN;
      this.delete(timer);
    }
  }

  /**
   * `yield* timers.scheduleTimeout(n)`: sleeps n jiffies or until woken; returns the jiffies that are left. A tick may
   * be due at once, so that n jiffies last up to n + 1 from here.
   */
  *scheduleTimeout(jiffies: number): Generator<number, number, void> {
    if (jiffies <= 0) return 0;
    const expires = this.jiffies + jiffies;
    const timeout = this.freeTimeouts.pop() ?? new Timeout(this.machine);
    timeout.task = this.machine.current;
    this.mod(timeout.timer, expires);
    yield PARK;
    this.delete(timeout.timer);
    this.freeTimeouts.push(timeout);
    return Math.max(0, expires - this.jiffies);
  }

  /** `yield* timers.msleep(ms)`: sleeps at least so long, whoever wakes the task. */
  *msleep(ms: number): TaskBody {
    let left = this.jiffiesOf(ms * 1e6) + this.msleepExtraJiffies;
    while (left > 0) left = yield* this.scheduleTimeout(left);
  }

  /** round_jiffies(): a whole second near `jiffy`, three jiffies later on each CPU than on the one before. */
  roundJiffies(jiffy: number, cpu: Cpu): number {
    const skewed = jiffy + 3 * cpu.index;
    const past = skewed % this.hz;
    const rounded = skewed - past + (past < Math.floor(this.hz / 4) ? 0 : this.hz) - 3 * cpu.index;
    return rounded > this.jiffies ? rounded : jiffy;
  }

  private baseOf(cpu: Cpu): TimerBase {
    return (this.bases[cpu.index] ??= new TimerBase(cpu, this.depth, this.jiffies));
  }

  /** Has a tick come at the next expiry. */
  private arm(base: TimerBase): void {
    const expiry = base.wheel.firstExpiry();
    if (!base.needsEventAt(expiry)) return;
    const atNs = (expiry - this.jiffiesAtStart) * this.machine.jiffyNs;
    this.machine.schedule(Math.max(0, atNs - this.machine.nowNs), this.tickActor, base.cpu.index);
  }

  /** run_local_timers(). */
  private tick(base: TimerBase): void {
    base.eventCame();
    if (base.wheel.firstExpiry() > this.jiffies) {
      this.arm(base);
      return;
    }
    base.softirq ??= this.machine.spawn(`timer_softirq/${base.cpu.index}`, () => this.softirqLoop(base), {
      on: base.cpu,
      schedClass: SchedClass.Softirq,
      asleep: true,
    });
    this.machine.wake(base.softirq);
  }

  /** run_timer_softirq(). */
  private *softirqLoop(base: TimerBase): TaskBody {
    const { wheel } = base;
    for (;;) {
      while (wheel.firstExpiry() <= this.jiffies) {
        for (let list = wheel.collect() - 1; list >= 0; list--) {
          for (let timer = wheel.nextCollected(list); timer !== undefined; timer = wheel.nextCollected(list)) {
            base.running = timer;
            const body = timer.run(timer);
            if (body !== undefined) yield* body;
            base.running = undefined;
            while (base.waiters.length > 0) this.machine.scheduler.endSpin(base.waiters.pop()!);
          }
        }
      }
      this.arm(base);
      yield PARK;
    }
  }
}

/** What schedule_timeout() has on its stack (process_timeout()). */
class Timeout {
  task: Task | undefined = undefined;
  readonly timer: Timer;

  constructor(machine: Machine) {
    this.timer = new Timer(() => machine.wake(this.task!));
  }
}
