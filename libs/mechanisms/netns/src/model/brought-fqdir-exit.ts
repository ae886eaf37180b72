// A design of fqdir_exit() that somebody brought along (`kwb run --variant FILE`), and what it may use: the queues, the
// barrier and the two steps that every design must take. What the kernel forbids is checked while it runs: an fqdir is
// freed once, after its hash table, and after an rcu_barrier() that began later than that.
import { type Cpu, invariant, type RcuBarrier, type TaskBody, Work, type Workqueue } from '@kworkbench/machine';
import type { Steps } from '@kworkbench/mechanism';
import type { FragmentQueues } from './inet-fragment.js';

/** One fragment-reassembly user of one dying namespace. What is in it is the model's business. */
export interface BroughtFqdir {
  /** Which protocol it belongs to: 0 IPv4, 1 IPv6, ... */
  readonly type: number;
}

/** The kernel as a design of fqdir_exit() sees it. One object per simulated kernel. */
export interface FqdirKernel {
  /** INIT_WORK(): a work item that runs these steps each time it is executed. */
  work(run: () => Steps): Work;
  /** queue_work_on(); queueing an item that is pending does nothing. */
  queueWork(queue: FqdirQueue, cpu: Cpu, work: Work): void;
  /** queue_delayed_work_on(). @param delayNs virtual ns, 0 queues at once. */
  queueDelayedWork(queue: FqdirQueue, cpu: Cpu, work: Work, delayNs: number): void;
  /** rhashtable_free_and_destroy() of the fqdir; takes CPU time. */
  destroyHashTable(fqdir: BroughtFqdir): Steps;
  /** rcu_barrier(): returns after all callbacks that were queued before it began have run. May take seconds. */
  rcuBarrier(): Steps;
  /** kfree() of the fqdir; takes CPU time. Ends the cell with I2 or I6 when it is too early or done twice. */
  free(fqdir: BroughtFqdir): Steps;
}

/** system_wq; inet_frag_wq (max_active 1 per CPU); fqdir_wq (ordered: one item at a time in the whole system). */
export type FqdirQueue = 'system_wq' | 'inet_frag_wq' | 'fqdir_wq';

/** fqdir_exit() of one design. */
export interface FqdirExit {
  /** Called for every fqdir of a dying namespace, on the CPU of cleanup_net(). Must not block; queue work instead. */
  exit(fqdir: BroughtFqdir, cpu: Cpu): void;
}

const enum Stage {
  Exiting,
  HashTableGone,
  Freed,
}

class TrackedFqdir implements BroughtFqdir {
  stage: Stage = Stage.Exiting;
  /** Barriers that had begun when its hash table went. */
  barriersBefore = 0;

  constructor(readonly type: number) {}
}

export class BroughtFqdirExit {
  private readonly design: FqdirExit;
  private barriersBegun = 0;
  /** The latest beginning of a barrier that has ended. */
  private barrierPassed = 0;

  constructor(
    make: (kernel: FqdirKernel) => FqdirExit,
    private readonly queues: FragmentQueues,
    private readonly barrier: RcuBarrier,
    private readonly costs: { readonly rhashDestroyNs: number; readonly fqdirFreeNs: number },
    private readonly freed: (type: number) => void,
  ) {
    this.design = make({
      work: (run) => new Work(run),
      queueWork: (queue, cpu, work) => this.queue(queue).queueOn(cpu, work),
      queueDelayedWork: (queue, cpu, work, delayNs) => queues.queueDelayed(this.queue(queue), cpu, work, delayNs),
      destroyHashTable: (fqdir) => this.destroyHashTable(fqdir as TrackedFqdir),
      rcuBarrier: () => this.rcuBarrier(),
      free: (fqdir) => this.free(fqdir as TrackedFqdir),
    });
  }

  exit(type: number, cpu: Cpu): void {
    this.design.exit(new TrackedFqdir(type), cpu);
  }

  private queue(name: FqdirQueue): Workqueue {
    const { systemWq, inetFragWq, fqdirWq } = this.queues;
    const found = { system_wq: systemWq, inet_frag_wq: inetFragWq, fqdir_wq: fqdirWq }[name];
    if (!found) throw new TypeError(`no queue ${String(name)}: expected system_wq, inet_frag_wq or fqdir_wq`);
    return found;
  }

  private *destroyHashTable(fqdir: TrackedFqdir): TaskBody {
    invariant(fqdir.stage === Stage.Exiting, 'I2: the hash table of an fqdir is destroyed twice');
    yield this.costs.rhashDestroyNs;
    fqdir.stage = Stage.HashTableGone;
    fqdir.barriersBefore = this.barriersBegun;
  }

  private *rcuBarrier(): TaskBody {
    const own = ++this.barriersBegun;
    yield* this.barrier.wait();
    this.barrierPassed = Math.max(this.barrierPassed, own);
  }

  private *free(fqdir: TrackedFqdir): TaskBody {
    invariant(fqdir.stage !== Stage.Freed, 'I2: an fqdir is freed twice');
    invariant(fqdir.stage === Stage.HashTableGone, 'I6: an fqdir is freed with its hash table');
    invariant(
      this.barrierPassed > fqdir.barriersBefore,
      'I6: an fqdir is freed without an rcu_barrier() that began after its hash table was destroyed',
    );
    yield this.costs.fqdirFreeNs;
    fqdir.stage = Stage.Freed;
    this.freed(fqdir.type);
  }
}
