// Expedited grace periods: synchronize_rcu_expedited(). Every busy CPU is interrupted; one that is in a quiescent state
// answers at once, another as soon as it passes one (its interrupt has set need_resched). One runs at a time, and callers
// share: who comes while one is under way waits for the next, which one of them runs.
import type { Machine } from '../machine.js';
import type { Cpu } from '../sched/cpu.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';
import { hasPreemptRcu, type RcuCosts } from './costs.js';
import { Holdouts } from './quiescence.js';
import { type Readers, ReaderWait } from './readers.js';

export class ExpeditedGracePeriods {
  /** Odd while one is under way (rcu_exp_gp_seq). */
  sequence = 0;
  longestNs = 0;
  private readonly holdouts: Holdouts;
  private readonly waiters: Task[] = [];
  private leader: Task | undefined = undefined;
  private readonly watched: Cpu[] = [];
  private readonly wait: ReaderWait;
  private readonly preemptRcu: boolean;

  constructor(
    private readonly machine: Machine,
    private readonly costs: RcuCosts,
    private readonly readers: Readers,
  ) {
    this.holdouts = new Holdouts(machine);
    // rcu_read_unlock_special(): the last reader that was preempted reports.
    this.wait = new ReaderWait(() => {
      if (this.leader !== undefined) machine.wake(this.leader);
    });
    readers.add(this.wait);
    this.preemptRcu = hasPreemptRcu(costs, machine);
  }

  /** `yield* expedited.synchronize()`: returns after an expedited grace period that began after the call. */
  *synchronize(): TaskBody {
    const task = this.machine.current;
    const snapshot = (this.sequence + 3) & ~1;
    while (this.sequence < snapshot) {
      if (this.leader === undefined) {
        yield* this.run(task);
        continue;
      }
      this.waiters.push(task);
      yield PARK;
      const at = this.waiters.indexOf(task);
      if (at >= 0) this.waiters.splice(at, 1);
    }
  }

  private *run(task: Task): TaskBody {
    const { machine } = this;
    const startNs = machine.nowNs;
    this.leader = task;
    this.sequence++;
    this.readers.begin(this.wait);
    this.holdouts.snapshot();
    // Interrupts to all of them, and waiting for those that answer at once.
    const endNs = startNs + Math.round(this.costs.expeditedNs);
    while (machine.nowNs < endNs) yield machine.sleep(endNs - machine.nowNs);
    this.holdouts.scan(this.preemptRcu, true);
    this.watch(task);
    while (this.holdouts.count > 0 || this.wait.blockers > 0) {
      // The end of a section tells nobody; the tick does.
      yield machine.sleep(machine.jiffyNs);
      this.holdouts.scan(this.preemptRcu, true);
    }
    this.sequence++;
    this.leader = undefined;
    this.wait.since = 0;
    while (this.watched.length > 0) this.watched.pop()!.quiescent = undefined;
    if (machine.nowNs - startNs > this.longestNs) this.longestNs = machine.nowNs - startNs;
    while (this.waiters.length > 0) machine.wake(this.waiters.pop()!);
  }

  /** Has each of them tell when it passes its next quiescent state. */
  private watch(task: Task): void {
    for (let i = 0; i < this.holdouts.count; i++) {
      const cpu = this.holdouts.at(i);
      this.watched.push(cpu);
      cpu.quiescent = () => {
        cpu.quiescent = undefined;
        this.holdouts.report(cpu);
        this.machine.wake(task);
      };
    }
  }
}
