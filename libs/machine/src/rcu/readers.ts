// Read-side critical sections: rcu_read_lock(), rcu_read_unlock().
//
// A grace period waits for the readers that were inside when it began. Without PREEMPT_RCU a section is one with preemption
// off, so that its CPU cannot quiesce in it; with it, a reader that is preempted blocks the grace period by itself
// (rcu_preempt_ctxt_queue()). Counting covers both: tasks remember at which epoch they entered.
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import type { Task } from '../sched/task.js';

/** The readers that one kind of grace period waits for. */
export class ReaderWait {
  blockers = 0;
  /** Epoch of its begin; 0 while none is under way. */
  since = 0;

  constructor(
    /** The last of them has left. */
    readonly gone: () => void,
  ) {}
}

export class Readers {
  inside = 0;
  private epoch = 0;
  private readonly waits: ReaderWait[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly preemptRcu: boolean,
  ) {}

  add(wait: ReaderWait): void {
    this.waits.push(wait);
  }

  begin(wait: ReaderWait): void {
    wait.since = ++this.epoch;
    wait.blockers = this.inside;
  }

  lock(task: Task): void {
    if (task.rcuNesting++ > 0) return;
    if (!this.preemptRcu) this.machine.scheduler.preemptDisable(task);
    this.inside++;
    task.rcuEntered = this.epoch;
  }

  unlock(task: Task): void {
    invariant(task.rcuNesting > 0, `rcu: ${task.name} leaves a section that it did not enter`);
    if (--task.rcuNesting > 0) return;
    if (!this.preemptRcu) this.machine.scheduler.preemptEnable(task);
    this.inside--;
    for (let i = 0; i < this.waits.length; i++) {
      const wait = this.waits[i]!;
      if (task.rcuEntered < wait.since && --wait.blockers === 0) wait.gone();
    }
  }
}
