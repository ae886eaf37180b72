// fqdir_exit() of net/ipv4/inet_fragment.c: what becomes of the fragment queues of a dying namespace.
//
// Every design destroys the hash table of an fqdir, waits for an rcu_barrier() that began later, and frees it. They
// differ in which work item does what, and so in how many callers stand before the barrier:
//   workPerFqdir          one item per fqdir does all three                                       (before)
//   oneWork               one item takes a list and does all three for all of it                  (v1, v2)
//   rhashWorkThenFreeWq   an item per fqdir for the hash table; list; barrier and frees on fqdir_wq    (v3)
//   rhashWqThenFreeWork   the same with the hash tables on inet_frag_wq, the frees on system_wq        (v4)
// A design that was brought along takes the place of all of them (brought-fqdir-exit.ts).
import { type Cpu, invariant, type RcuBarrier, type TaskBody, Work, type Workqueue } from '@kworkbench/machine';
import { ideas } from '../idea.js';
import type { NetnsKernel } from '../kernel.js';
import { BroughtFqdirExit } from './brought-fqdir-exit.js';
import type { NsMemory } from './ns-memory.js';

const enum FqdirState {
  Queued,
  RhashDestroyed,
  Freed,
}

/** struct fqdir: one fragment-reassembly user of one namespace. */
class Fqdir {
  state: FqdirState = FqdirState.Queued;
  constructor(readonly frags: InetFrags) {}
}

/** struct inet_frags: one protocol. Module unload waits until its last fqdir is gone (I15). */
class InetFrags {
  refs = 0;
}

export interface FragmentQueues {
  readonly systemWq: Workqueue;
  readonly inetFragWq: Workqueue;
  readonly fqdirWq: Workqueue;
  queueDelayed(queue: Workqueue, cpu: Cpu, work: Work, delayNs: number): void;
}

export class InetFragment {
  pending = 0;
  pendingMax = 0;
  freeRuns = 0;
  useAfterFree = 0;
  private readonly frags: readonly InetFrags[];
  private list: Fqdir[] = [];
  private freeing = false;
  private readonly listWork: Work;
  private readonly brought: BroughtFqdirExit | undefined;

  constructor(
    private readonly kernel: NetnsKernel,
    private readonly queues: FragmentQueues,
    private readonly barrier: RcuBarrier,
    private readonly memory: NsMemory,
    private readonly costs: { readonly rhashDestroyNs: number; readonly fqdirFreeNs: number },
    private readonly changed: () => void,
  ) {
    this.frags = Array.from({ length: kernel.fqdirsPerNs }, () => new InetFrags());
    this.listWork = new Work(() => this.freeList());
    const idea = ideas.of(kernel);
    if (idea) {
      const make = idea.fqdirExit.bind(idea);
      this.brought = new BroughtFqdirExit(make, queues, barrier, costs, (type) => this.release(this.frags[type]!));
    }
  }

  /** fqdir_exit() of one protocol for a whole batch of namespaces, on the CPU of the caller. */
  exitBatch(cpu: Cpu, type: number, count: number): void {
    const frags = this.frags[type]!;
    for (let i = 0; i < count; i++) {
      this.take(frags);
      if (this.brought) this.brought.exit(type, cpu);
      else this.exit(cpu, new Fqdir(frags));
    }
  }

  /** References left on all protocols: 0 once everything is gone. */
  get refs(): number {
    return this.frags.reduce((sum, frags) => sum + frags.refs, 0);
  }

  private take(frags: InetFrags): void {
    frags.refs++;
    this.pending++;
    if (this.pending > this.pendingMax) this.pendingMax = this.pending;
  }

  private exit(cpu: Cpu, fqdir: Fqdir): void {
    switch (this.kernel.fqdirExit) {
      case 'workPerFqdir':
        this.queues.systemWq.queueOn(cpu, new Work(() => this.workPerFqdir(fqdir)));
        return;
      case 'oneWork':
        this.addToList(cpu, fqdir);
        return;
      case 'rhashWorkThenFreeWq':
        this.queues.systemWq.queueOn(cpu, new Work(() => this.rhashThenList(cpu, fqdir)));
        return;
      case 'rhashWqThenFreeWork':
        this.queues.inetFragWq.queueOn(cpu, new Work(() => this.rhashThenList(cpu, fqdir)));
        return;
    }
  }

  private *workPerFqdir(fqdir: Fqdir): TaskBody {
    yield this.costs.rhashDestroyNs;
    fqdir.state = FqdirState.RhashDestroyed;
    yield* this.barrier.wait();
    yield this.costs.fqdirFreeNs;
    this.free(fqdir);
  }

  private *rhashThenList(cpu: Cpu, fqdir: Fqdir): TaskBody {
    yield this.costs.rhashDestroyNs;
    fqdir.state = FqdirState.RhashDestroyed;
    this.addToList(cpu, fqdir);
  }

  /** llist_add(): only the push that finds the list empty queues the work. */
  private addToList(cpu: Cpu, fqdir: Fqdir): void {
    if (this.list.push(fqdir) > 1) return;
    if (this.kernel.fqdirExit === 'rhashWorkThenFreeWq') this.queues.fqdirWq.queueOn(cpu, this.listWork);
    else {
      const delayNs = Math.round(this.kernel.fqdirFreeDelaySeconds * 1e9);
      this.queues.queueDelayed(this.queues.systemWq, cpu, this.listWork, delayNs);
    }
  }

  /** fqdir_free_fn(): llist_del_all, one barrier, all frees. */
  private *freeList(): TaskBody {
    invariant(!this.freeing, 'I5: two fqdir_free_work at once');
    this.freeing = true;
    this.freeRuns++;
    const list = this.list;
    this.list = [];
    if (this.kernel.fqdirExit === 'oneWork') {
      for (const fqdir of list) {
        yield this.costs.rhashDestroyNs;
        fqdir.state = FqdirState.RhashDestroyed;
      }
    }
    yield* this.barrier.wait();
    yield list.length * this.costs.fqdirFreeNs;
    for (const fqdir of list) {
      this.free(fqdir);
      // v1 steps to the next entry through the one that it has just freed.
      if (this.kernel.fqdirListWalk === 'unsafe') this.useAfterFree++;
    }
    this.freeing = false;
  }

  private free(fqdir: Fqdir): void {
    invariant(fqdir.state === FqdirState.RhashDestroyed, 'I2, I6: an fqdir is freed twice, or with its hash table');
    fqdir.state = FqdirState.Freed;
    this.release(fqdir.frags);
  }

  private release(frags: InetFrags): void {
    frags.refs--;
    invariant(frags.refs >= 0, 'I15: refcount of inet_frags below its floor');
    this.pending--;
    this.memory.freeFqdirs(1);
    this.changed();
  }
}
