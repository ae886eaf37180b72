// A process that has a job done: QEMU with its guest, a test of plain work, or the kernel thread of a node at boot.
import type { CpuGroup, LockClass, Machine, Mutex, Task, TaskBody } from '@kworkbench/machine';
import type { PadataKernel } from '../kernel.js';
import type { PadataWorkload } from '../workloads.js';
import { Job } from './job.js';
import type { Caller, Padata } from './padata.js';
import { compute, type DeferredInit } from './other-jobs.js';
import { Errno, type JobSpec, type ThreadFn } from './thread-fn.js';
import { PAGE_BYTES } from './costs.js';
import type { PinContext } from './vfio-pin.js';

const GIB = 2 ** 30;
/** QEMU pins the memory below 4 GiB apart: 2 GiB of the guest. */
export const LOW_BYTES = 2 * GIB;
/** PAGES_PER_SECTION */
const SECTION_PAGES = 32_768;
const USER_PIECE_NS = 1_000_000;

export interface GuestPlace {
  readonly machine: Machine;
  readonly kernel: PadataKernel;
  readonly workload: PadataWorkload;
  readonly padata: Padata;
  readonly group: CpuGroup | undefined;
  readonly site: LockClass;
  readonly chunkNs: number;
  /** CPU time of QEMU's start besides pinning (kind guestStart). */
  readonly initNs: number;
  /** What lockOrder needs: a lock that chunks of one job take, and another is started under. */
  readonly lock: Mutex | undefined;
  readonly otherSite: LockClass;
  jobBegins(): void;
  guestEnded(): void;
}

export class Guest {
  task!: Task;
  readonly jobs: Job[] = [];
  beganNs = -1;
  jobSeconds = 0;
  startSeconds = 0;
  killedNs = -1;
  returnedNs = -1;
  /** When all that it wanted to do was done, also after the job. */
  endedNs = -1;

  constructor(
    private readonly place: GuestPlace,
    readonly index: number,
    readonly pin: PinContext | undefined,
    private readonly init: DeferredInit | undefined,
  ) {}

  get done(): boolean {
    return this.endedNs >= 0;
  }

  /** The job of the largest pin: what the metrics are about. */
  get job(): Job {
    return this.jobs.at(-1)!;
  }

  *run(): TaskBody {
    const { machine, workload } = this.place;
    yield machine.sleep(Math.round((workload.headStart + workload.idleBefore) * 1e9));
    const startNs = machine.nowNs;
    if (workload.kind === 'guestStart') yield* this.userWork(this.place.initNs);
    if (workload.kind === 'guestStart') yield* this.doJob(this.pinSpec(0, LOW_BYTES));
    if (workload.lockOrder !== 'fine') yield* this.orderedOtherwise();
    this.beganNs = machine.nowNs;
    this.place.jobBegins();
    yield* this.doJob(this.mainSpec());
    this.returnedNs = machine.nowNs;
    this.jobSeconds = (machine.nowNs - this.beganNs) / 1e9;
    this.startSeconds = (machine.nowNs - startNs) / 1e9;
    yield* this.userWork(Math.round(workload.busyAfter * 1e9));
    this.endedNs = machine.nowNs;
    this.place.guestEnded();
  }

  kill(): void {
    if (this.returnedNs >= 0) return;
    this.killedNs = this.place.machine.nowNs;
    if (this.pin !== undefined) this.pin.mm.killed = true;
  }

  private *userWork(ns: number): TaskBody {
    const { scheduler } = this.place.machine;
    if (ns === 0) return;
    scheduler.setUserMode(this.task, true);
    for (let leftNs = ns; leftNs > 0; leftNs -= USER_PIECE_NS) yield Math.min(USER_PIECE_NS, leftNs);
    scheduler.setUserMode(this.task, false);
  }

  private mainSpec(): JobSpec {
    const { workload } = this.place;
    if (this.init !== undefined) return this.initSpec(this.init);
    if (workload.kind !== 'compute') return this.pinSpec(workload.start, workload.guest - LOW_BYTES);
    const size = Math.max(1, Math.round(workload.work * 1e9));
    return {
      name: `test${this.index}`,
      fn: compute,
      start: 0,
      size,
      align: 1,
      minChunk: 1,
      maxThreads: workload.maxThreads,
    };
  }

  private pinSpec(start: number, size: number): JobSpec {
    const { kernel, workload } = this.place;
    const { align, minChunk, maxThreads } = workload;
    const pin = this.pin!;
    const chunkLock = kernel.threads === 'user' ? pin.containerLock : undefined;
    const spec = { name: `vfio${this.index}`, fn: pin, start, size, align, minChunk, maxThreads };
    return chunkLock === undefined ? spec : { ...spec, chunkLock };
  }

  private initSpec(fn: ThreadFn): JobSpec {
    const { guest, maxThreads } = this.place.workload;
    const size = guest / PAGE_BYTES;
    return {
      name: `pgdatinit${this.index}`,
      fn,
      start: 0,
      size,
      align: SECTION_PAGES,
      minChunk: SECTION_PAGES,
      maxThreads,
    };
  }

  private *doJob(spec: JobSpec, site = this.place.site): TaskBody {
    const { kernel, group } = this.place;
    const job = new Job(spec, kernel.firstError, this.place.chunkNs);
    this.jobs.push(job);
    const caller: Caller = { group, site };
    // Threads of the process take it for their own calls.
    const container = spec.fn === this.pin && kernel.threads !== 'user' ? this.pin.containerLock : undefined;
    if (container !== undefined) yield* container.lock();
    yield* this.locked(job, caller);
    container?.unlock();
  }

  private *locked(job: Job, caller: Caller): TaskBody {
    const { kernel, padata } = this.place;
    const { spec } = job;
    const whole = kernel.accountWhole && spec.fn === this.pin;
    if (whole && !(yield* this.accountWhole(spec.size / PAGE_BYTES))) {
      job.begin([], spec.size);
      job.error = Errno.NoMem;
      return;
    }
    yield* padata.doMultithreaded(job, caller);
    if (whole && job.error !== Errno.None) yield* this.accountWhole(-spec.size / PAGE_BYTES);
  }

  private *accountWhole(pages: number): Generator<number, boolean, void> {
    const { mm, costs } = this.pin!;
    for (let wait; (wait = mm.mmapLock.downWrite()) !== 0;) yield wait;
    mm.writes++;
    const fits = mm.account(pages);
    yield mm.accountingNs(this.task.cpu.index, costs.accountNs);
    const wakesNs = mm.mmapLock.upWrite();
    if (wakesNs > 0) yield wakesNs;
    return fits;
  }

  /** One job's chunks take a lock; another job, of this call site or of one of its own, is started while it is held. */
  private *orderedOtherwise(): TaskBody {
    const { lock, site, otherSite, workload } = this.place;
    const takes: ThreadFn = {
      ...compute,
      worker: () => ({
        begin: () => {
          const taking = lock!.lock();
          return {
            error: Errno.None,
            step: () => {
              const step = taking.next();
              if (step.done !== true) return step.value;
              if (lock!.owner !== undefined) lock!.unlock();
              return -1e9;
            },
          };
        },
      }),
    };
    const spec: JobSpec = {
      name: `order${this.index}`,
      fn: takes,
      start: 0,
      size: 8,
      align: 1,
      minChunk: 1,
      maxThreads: 4,
    };
    yield* this.doJob(spec);
    yield* lock!.lock();
    yield* this.doJob({ ...spec, fn: compute }, workload.lockOrder === 'inverted' ? site : otherSite);
    lock!.unlock();
  }
}
