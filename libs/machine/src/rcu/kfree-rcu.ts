// kfree_rcu(): objects that are given back after a grace period, without a callback each (kernel/rcu/tree.c,
// kfree_rcu_monitor()).
//
// A CPU collects pointers; delayed work hands them over to a batch every KFREE_DRAIN_JIFFIES, or soon when a page of
// pointers is full. A batch waits for a grace period (queue_rcu_work()) and is then freed by a worker. A CPU has two
// batches; while both are under way it goes on collecting.
import type { Cpu } from '../sched/cpu.js';
import type { Machine } from '../machine.js';
import type { Cache } from '../memory/memory.js';
import type { TaskBody } from '../sched/task.js';
import { Timers } from '../timers/timers.js';
import { Work } from '../workqueue/work.js';
import type { Workqueue } from '../workqueue/workqueue.js';
import type { Rcu } from './rcu.js';

export interface KfreeRcuCosts {
  /** CPU time to free one object of a batch. */
  readonly freeNs: number;
  /** KFREE_DRAIN_JIFFIES in seconds: 5, and 1 before Linux 6.2. */
  readonly drainSeconds?: number;
}

/** KFREE_N_BATCHES. */
const BATCHES = 2;
/** KVFREE_BULK_MAX_ENTR: pointers in a page, behind its header of 48 bytes. */
const PAGE_POINTERS = Math.floor((4096 - 48) / 8);

interface Freed {
  readonly cache: Cache;
  objects: number;
  bytes: number;
}

/** struct kfree_rcu_cpu. */
class KfreeCpu {
  collected: Freed[] = [];
  pointers = 0;
  busyBatches = 0;
  readonly monitor: Work;

  constructor(
    readonly cpu: Cpu,
    monitor: (krcp: KfreeCpu) => TaskBody,
  ) {
    this.monitor = new Work(() => monitor(this));
  }
}

export class KfreeRcu {
  /** What has been passed in and not given back yet. */
  pendingObjects = 0;
  pendingBytes = 0;
  pendingBytesMax = 0;
  batches = 0;
  private readonly perCpu: (KfreeCpu | undefined)[];
  private readonly drainJiffies: number;

  constructor(
    machine: Machine,
    private readonly rcu: Rcu,
    /** system_wq. */
    private readonly queue: Workqueue,
    private readonly costs: KfreeRcuCosts,
  ) {
    this.perCpu = new Array<KfreeCpu | undefined>(machine.cpus.length).fill(undefined);
    this.drainJiffies = Math.round((costs.drainSeconds ?? 5) * Timers.of(machine).hz);
  }

  /** kfree_rcu() of `objects` of a cache, `bytes` together, on `cpu`. */
  free(cpu: Cpu, cache: Cache, objects: number, bytes: number): void {
    const krcp = (this.perCpu[cpu.index] ??= new KfreeCpu(cpu, (self) => this.drain(self)));
    const last = krcp.collected[krcp.collected.length - 1];
    if (last?.cache === cache) {
      last.objects += objects;
      last.bytes += bytes;
    } else {
      krcp.collected.push({ cache, objects, bytes });
    }
    krcp.pointers += objects;
    this.pendingObjects += objects;
    this.pendingBytes += bytes;
    if (this.pendingBytes > this.pendingBytesMax) this.pendingBytesMax = this.pendingBytes;
    this.scheduleMonitor(krcp);
  }

  /** schedule_delayed_monitor_work(). */
  private scheduleMonitor(krcp: KfreeCpu): void {
    const delay = krcp.pointers >= PAGE_POINTERS ? 1 : this.drainJiffies;
    const { monitor, cpu } = krcp;
    if (!monitor.pending) this.queue.queueDelayedOn(cpu, monitor, delay);
    else if (delay === 1 && monitor.queue === undefined) this.bringForward(krcp);
  }

  /** A page is full: the monitor comes now, unless its timer is about to expire anyway. */
  private bringForward({ monitor, cpu }: KfreeCpu): void {
    if (monitor.timer!.expires > this.queue.jiffies + 1) this.queue.modDelayedOn(cpu, monitor, 1);
  }

  /** kfree_rcu_monitor(): hands over to a batch that is free, or comes back. */
  private *drain(krcp: KfreeCpu): TaskBody {
    yield 0;
    if (krcp.pointers === 0) return;
    if (krcp.busyBatches === BATCHES) {
      this.scheduleMonitor(krcp);
      return;
    }
    const { collected } = krcp;
    krcp.collected = [];
    krcp.pointers = 0;
    krcp.busyBatches++;
    this.batches++;
    // queue_rcu_work(): a callback queues the work that frees.
    const work = new Work(() => this.giveBack(krcp, collected));
    this.rcu.callRcu(krcp.cpu, 1, this.rcu.callbackNs, () => this.queue.queueOn(krcp.cpu, work));
  }

  /** kfree_rcu_work(). */
  private *giveBack(krcp: KfreeCpu, collected: readonly Freed[]): TaskBody {
    krcp.busyBatches--;
    for (const { cache, objects, bytes } of collected) {
      yield objects * this.costs.freeNs;
      cache.free(objects, bytes);
      this.pendingObjects -= objects;
      this.pendingBytes -= bytes;
    }
  }
}
