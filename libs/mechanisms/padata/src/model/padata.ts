// padata_do_multithreaded(): runs a job on the calling task and on helpers, with every patch of the series as a switch.
//
// Order: ask for workers (caps), get helpers, cut the range, start them, work, wait, undo. The job lock is not modelled:
// what is done under it takes no time, and between two yields a task acts alone.
//
// Invariants: workers within each cap; a job returns only after all its helpers have finished; undo runs in the caller,
// after that, in ascending ranges; the caller's nice value never changes, and at most one helper has it at a time.
import {
  type Cpu,
  type CpuGroup,
  DONE,
  type CpuMask,
  invariant,
  type LockClass,
  LockMap,
  type Machine,
  PARK,
  type Task,
  type TaskBody,
  Work,
  type Workqueue,
} from '@kworkbench/machine';
import { ideas } from '../idea.js';
import { bandwidthCpus, Cap, requestedWorkers } from '../job/caps.js';
import { chunkSize } from '../job/split.js';
import type { PadataKernel } from '../kernel.js';
import { Helper, HELPER_NICE } from './helper.js';
import { Job } from './job.js';
import type { JobSpec } from './thread-fn.js';

export interface PadataCosts {
  /** kthread_create(), in the caller, one after the other. */
  readonly kthreadCreateNs: number;
  readonly queueWorkNs: number;
  /** CPU time of a helper before its first chunk: it begins on a CPU that slept, with a low clock and cold caches. */
  readonly helperStartNs: number;
}

/** What the caller stands in. */
export interface Caller {
  readonly group: CpuGroup | undefined;
  /** A class per call site (patch 4). */
  readonly site: LockClass;
}

export class Padata {
  /** Workers of all jobs, callers included. */
  inUse = 0;
  /** Helpers created so far, and the numbers of those that shall fail. */
  created = 0;
  reniceEvents = 0;
  /** Helpers of each cgroup's jobs; undefined is the root's. */
  private readonly pools = new Map<CpuGroup | undefined, number>();

  constructor(
    readonly machine: Machine,
    readonly kernel: PadataKernel,
    readonly costs: PadataCosts,
    private readonly workqueue: Workqueue,
    private readonly onlineCpus: number,
    private readonly failCreations: ReadonlySet<number>,
    /** Once the machine is up. */
    private readonly booted: boolean,
    /** A CPU of each node. */
    private readonly nodeCpus: readonly number[],
    /** Called after each remote charge. */
    readonly charged: () => void,
  ) {}

  /** `yield* padata.doMultithreaded(...)` in the caller; the result is in the job. */
  *doMultithreaded(job: Job, caller: Caller): TaskBody {
    const { kernel, machine } = this;
    const { spec } = job;
    const main = machine.current;
    invariant(spec.size > 0, 'padata: a job of nothing');
    const nice = main.nice;
    const request = this.request(spec, main, caller);
    job.requested = request.workers;
    job.cap = request.cap;
    if (request.workers === 1) {
      yield* this.inline(job, main);
      return;
    }
    this.inUse++;
    const helpers = yield* this.helpers(job, request.workers - 1, main, caller);
    this.cut(job, helpers);
    const map = kernel.lockdep ? new LockMap(machine, caller.site.name, { lockClass: caller.site }) : undefined;
    map?.acquire();
    map?.release();
    for (const helper of helpers) this.start(helper, job, map);
    yield* job.work(main, { index: 0, chunkDone: () => this.payWeight(job, main) }, map);
    const fromNs = machine.nowNs;
    if (kernel.renice && kernel.kthreads) yield* this.waitOneByOne(job, main);
    while (job.running > 0) yield PARK;
    job.waitNs = machine.nowNs - fromNs;
    this.payWeight(job, main);
    this.inUse -= 1 + helpers.length;
    this.pools.set(caller.group, this.pools.get(caller.group)! - helpers.length);
    if (job.failedChunks > 0 && kernel.undo) yield* this.undo(job);
    invariant(main.nice === nice, 'padata: the nice value of the caller changed');
  }

  /** What helpers ran counts in the caller's vruntime as if it had run it; it runs now. */
  private payWeight(job: Job, main: Task): true {
    if (job.weightOwedNs > 0) main.cpu.fairQueue.charge(job.weightOwedNs);
    job.weightOwedNs = 0;
    return true;
  }

  /** The whole range by the caller, as if there were no padata. */
  private *inline(job: Job, main: Task): TaskBody {
    const { fn, start, size } = job.spec;
    job.begin([], size);
    const chunk = fn.worker(main, false, 1).begin(start, start + size);
    for (let wait; (wait = chunk.step()) !== DONE;) yield wait;
    job.note(chunk.error, { start, end: start + size }, true);
    job.chunkDone(0, size, main);
  }

  private request(
    { size, minChunk, maxThreads }: JobSpec,
    main: Task,
    { group }: Caller,
  ): { workers: number; cap: Cap } {
    const { kernel, machine } = this;
    if (kernel.threads === 'user') return { workers: maxThreads, cap: Cap.MaxThreads };
    if (kernel.threads === 'none' || (this.booted && !kernel.afterBoot)) return { workers: 1, cap: Cap.MaxThreads };
    const limits = group?.pool;
    return requestedWorkers({
      size,
      minChunk,
      maxThreads,
      allowedCpus: kernel.capAffinity ? (main.affinity?.count ?? machine.cpus.length) : Infinity,
      bandwidthCpus: kernel.capBandwidth && limits ? bandwidthCpus(limits.quotaNs, limits.periodNs) : Infinity,
    });
  }

  private cut(job: Job, helpers: readonly Helper[]): void {
    const { spec } = job;
    const workers = 1 + helpers.length;
    const idea = ideas.of(this.kernel);
    if (idea === undefined) {
      job.begin(helpers, this.chunkOf(spec, workers));
      return;
    }
    const { size, minChunk, align } = spec;
    job.begin(helpers, 0, idea.split({ size, workers, minChunk, align }));
  }

  private chunkOf({ size, minChunk, align }: JobSpec, workers: number): number {
    // Threads of a process have a part each.
    if (this.kernel.threads === 'user') return Math.ceil(size / workers / align) * align;
    return chunkSize(size, workers, minChunk, align);
  }

  /** padata_work_alloc_mt(): one at a time, while the count of all workers is below the CPUs. */
  private *helpers(job: Job, wanted: number, main: Task, caller: Caller): Generator<number, Helper[], void> {
    const { kernel, machine } = this;
    const limit = kernel.capOnline ? this.onlineCpus : machine.cpus.length;
    const helpers: Helper[] = [];
    const inPool = this.pools.get(caller.group) ?? 0;
    const room = Math.max((kernel.helperPool || Infinity) - inPool, 0);
    if (room < wanted) {
      job.cap = Cap.Pool;
      wanted = room;
    }
    // Taken at once, and given back below as far as it is not used: others ask while helpers are made.
    this.pools.set(caller.group, inPool + wanted);
    const reserved = wanted;
    while (helpers.length < wanted && (kernel.threads === 'user' || this.inUse < limit)) {
      this.created++;
      yield Math.round(
        kernel.kthreads || kernel.threads === 'user' ? this.costs.kthreadCreateNs : this.costs.queueWorkNs,
      );
      if (this.failCreations.has(this.created)) {
        job.cap = Cap.Creation;
        wanted--;
        continue;
      }
      // Others may have come while this one was being made.
      if (kernel.threads !== 'user' && this.inUse >= limit) break;
      this.inUse++;
      helpers.push(new Helper(this, job, main, caller, helpers.length + 1));
    }
    if (helpers.length < wanted) job.cap = Cap.Online;
    this.pools.set(caller.group, this.pools.get(caller.group)! - (reserved - helpers.length));
    return helpers;
  }

  private start(helper: Helper, job: Job, map: LockMap | undefined): void {
    const { machine, kernel } = this;
    const { main } = helper;
    const body = (): TaskBody => helper.run(map);
    if (kernel.threads === 'padata' && !kernel.kthreads) {
      this.workqueue.queueOn(main.cpu, new Work(body));
      return;
    }
    const user = kernel.threads === 'user';
    const mask: CpuMask | undefined = kernel.capAffinity || user ? main.affinity : undefined;
    const group = user || kernel.helperGroup === 'caller' ? helper.caller.group : undefined;
    helper.task = machine.spawn(`${job.spec.name}/${helper.index}`, body, {
      near: this.idlest(main, helper.index),
      nice: kernel.maxNice && !user ? HELPER_NICE : user ? main.nice : 0,
      ...(mask && { affinity: mask }),
      ...(group && { group }),
    });
  }

  /** New tasks go to the idlest node (find_idlest_cpu()): from node to node in turn, within the mask. */
  private idlest(main: Task, index: number): Cpu {
    const cpu = this.machine.cpus[this.nodeCpus[index % this.nodeCpus.length]!]!;
    return main.affinity === undefined || main.affinity.has(cpu.index) ? cpu : main.cpu;
  }

  /**
   * padata_wait_for_helpers() of patch 14: gives the caller's nice value to the first helper that has not finished, waits
   * for it, and goes on with the next.
   */
  private *waitOneByOne(job: Job, main: Task): TaskBody {
    for (const helper of job.helpers) {
      if (helper.finished) continue;
      this.machine.scheduler.renice(helper.task!, main.nice);
      this.reniceEvents++;
      helper.niced = true;
      const others = job.helpers.filter((one) => one.task!.nice === main.nice && !one.finished);
      invariant(others.length <= 1 || main.nice === HELPER_NICE, 'padata: two helpers at the nice value of the caller');
      while (!helper.finished) yield PARK;
    }
  }

  private *undo(job: Job): TaskBody {
    invariant(job.running === 0, 'padata: undo while helpers work');
    const { undo } = job.spec.fn;
    if (undo === undefined) return;
    for (const range of job.undoRanges()) {
      job.undoneSize += range.end - range.start;
      yield* undo(range);
    }
  }
}
