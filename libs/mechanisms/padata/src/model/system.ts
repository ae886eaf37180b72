// A padata system on a host: guests with their groups, padata, and who else is there, wired together.
import {
  CacheLines,
  CpuGroup,
  CpuMask,
  HardwareRates,
  invariant,
  LockClass,
  Lockdep,
  type Machine,
  Mutex,
  Topology,
} from '@kworkbench/machine';
import type { Cell, Instance, Place } from '@kworkbench/mechanism';
import type { PadataKernel } from '../kernel.js';
import { numbersOf, type PadataWorkload } from '../workloads.js';
import { Bystanders } from './bystanders.js';
import { constantName, PAGE_BYTES, pinCosts } from './costs.js';
import { Guest, type GuestPlace, LOW_BYTES } from './guest.js';
import { metricsOf } from './metrics-of.js';
import { Mm } from './mm.js';
import { DeferredInit } from './other-jobs.js';
import { Padata } from './padata.js';
import { SAMPLE_PERIOD_NS, SAMPLES, sampleRow, WORKERS, workerRows } from './telemetry.js';
import { PinContext, type PinPlace, SharedLines } from './vfio-pin.js';

export type PadataCell = Cell<PadataKernel, PadataWorkload>;

export class PadataSystem implements Instance {
  readonly cell: PadataCell;
  readonly machine: Machine;
  readonly samplePeriodNs = SAMPLE_PERIOD_NS;
  readonly guests: Guest[] = [];
  readonly group: CpuGroup | undefined;
  readonly bystanders: Bystanders;
  readonly lockdep: Lockdep | undefined;
  readonly padata: Padata;
  debtMaxNs = 0;
  private readonly pinPlace: PinPlace;
  private readonly lines: CacheLines;
  private readonly online: CpuMask | undefined;
  private jobsBegun = 0;

  constructor(private readonly place: Place) {
    const cell = place.cell as PadataCell;
    const { kernel, workload } = cell;
    const { machine, workqueues } = place.host;
    const constant = (name: string): number => cell.machine.constants[name]!;
    this.cell = cell;
    this.machine = machine;
    if (kernel.proveLocking) machine.lockProbe = this.lockdep = new Lockdep(machine);
    const cpus = machine.cpus.length;
    const topology = new Topology(cpus, { sockets: constant('sockets'), threadsPerCore: constant('threadsPerCore') });
    const rates = new HardwareRates(machine, topology, { memoryBytesPerNs: constant('memoryBytesPerSecond') / 1e9 });
    this.pinPlace = { machine, rates, topology, shared: new SharedLines(machine), random: place.random };
    const farNs = constant('lineFarNs');
    this.lines = new CacheLines(machine, topology, { nearNs: constant('lineNearNs'), farNs, memoryNs: farNs });
    const onlineCpus = cpus - workload.offlineCpus;
    this.online = workload.offlineCpus > 0 ? new CpuMask(cpus, new Array(onlineCpus).keys()) : undefined;
    this.group = this.makeGroup(kernel, workload);
    this.padata = new Padata(
      machine,
      kernel,
      {
        kthreadCreateNs: constant('kthreadCreateNs'),
        queueWorkNs: constant('queueWorkNs'),
        // At boot CPUs are awake and their clocks are up: no governor has set them yet.
        helperStartNs: workload.kind === 'deferredInit' ? 0 : Math.round(constant('helperStartNs')),
      },
      workqueues.allocUnbound(512, { name: 'padata_wq' }),
      onlineCpus,
      new Set(numbersOf(workload.failCreations)),
      workload.kind !== 'deferredInit',
      Array.from({ length: topology.nodes }, (_, node) => topology.cpusOfNode(node)[0]!),
      () => this.noteDebt(),
    );
    this.bystanders = new Bystanders(
      this.pinPlace,
      workload,
      this.online,
      constant('hogBytesPerSecond') / 1e9,
      place.finished,
    );
    this.makeGuests(topology);
  }

  start(): void {
    const { machine, cell, group } = this;
    const { workload } = cell;
    this.bystanders.start();
    const kill = machine.addActor((index) => this.guests[index]!.kill());
    for (const guest of this.guests) {
      const affinity = this.maskOf(guest.index);
      guest.task = machine.spawn(`main/${guest.index}`, () => guest.run(), {
        near: machine.cpus[affinity?.nextFrom(0) ?? 0]!,
        nice: workload.nice,
        ...(affinity && { affinity }),
        ...(group && { group }),
      });
      const killNs = (workload.headStart + workload.idleBefore + workload.killAfter) * 1e9;
      if (workload.killAfter > 0) machine.schedule(killNs, kill, guest.index);
    }
  }

  get finished(): boolean {
    return this.bystanders.running === 0 && this.guests.every((guest) => guest.done);
  }

  get outstanding(): number {
    const pinned = this.guests.reduce((sum, { pin }) => sum + (pin?.mm.pinnedPages ?? 0), 0);
    return this.guests.length + this.bystanders.running + pinned + this.machine.nowNs / 1e12;
  }

  sample(timeNs: number): void {
    this.place.row(SAMPLES, sampleRow(this, timeNs));
  }

  end(): ReturnType<Instance['end']> {
    for (const guest of this.guests) this.checkGuest(guest);
    this.checkCharges();
    const cpuNs = this.guests.reduce((sum, { task, jobs }) => {
      return sum + task.cpuTimeNs + jobs.reduce((all, job) => all + job.helpers.reduce((of, h) => of + h.cpuNs, 0), 0);
    }, 0);
    invariant(cpuNs <= this.machine.nowNs * this.machine.cpus.length, 'padata: more CPU time than there was');
    for (const row of workerRows(this)) this.place.row(WORKERS, row);
    return { metrics: metricsOf(this), histograms: [this.bystanders.wakeupNs.snapshot()] };
  }

  private maskOf(index: number): CpuMask | undefined {
    const { affinity, kind } = this.cell.workload;
    const size = this.machine.cpus.length;
    if (kind === 'deferredInit') return new CpuMask(size, this.pinPlace.topology.cpusOfNode(index));
    if (affinity > 0 && affinity < size - this.cell.workload.offlineCpus)
      return new CpuMask(size, new Array(affinity).keys());
    return this.online;
  }

  private makeGroup(kernel: PadataKernel, workload: PadataWorkload): CpuGroup | undefined {
    const { quota, period, burst, parentQuota } = workload;
    if (quota === 0 && parentQuota === 0) return undefined;
    const shared = {
      periodNs: Math.round(period * 1e9),
      debtModel: kernel.debt,
      throttleAtCharge: kernel.throttleAtCharge,
      statRemoteCharges: kernel.remoteStat,
    } as const;
    const parent =
      parentQuota > 0
        ? new CpuGroup(this.machine, 'pod', { ...shared, quotaNs: Math.round(parentQuota * 1e9) })
        : undefined;
    return new CpuGroup(this.machine, 'vm', {
      ...shared,
      ...(quota > 0 && { quotaNs: Math.round(quota * 1e9), burstNs: Math.round(burst * 1e9) }),
      ...(parent && { parent }),
    });
  }

  private makeGuests(topology: Topology): void {
    const { machine, cell, group, padata } = this;
    const { kernel, workload } = cell;
    const { constants } = cell.machine;
    const initOf = (what: string): number => constants[constantName(workload.pages, workload.prefaulted, what)]!;
    const common: GuestPlace = {
      machine,
      kernel,
      workload,
      padata,
      group,
      site: new LockClass('padata_mt_job/vfio_pin'),
      otherSite: new LockClass('padata_mt_job/other'),
      lock: workload.lockOrder === 'fine' ? undefined : new Mutex(machine, 'test_mutex'),
      chunkNs: Math.round(constants['chunkTakeNs']!),
      initNs: Math.round((initOf('InitBaseSeconds') + (initOf('InitPerGibSeconds') * workload.guest) / 2 ** 30) * 1e9),
      jobBegins: () => {
        if (this.jobsBegun++ === 0) this.bystanders.windowBegins();
      },
      guestEnded: () => {
        if (this.guests.every((guest) => guest.done)) this.bystanders.windowEnds();
        this.place.finished();
      },
    };
    const count = workload.kind === 'deferredInit' ? topology.nodes : workload.jobs;
    for (let i = 0; i < count; i++) {
      const pins = workload.kind === 'pin' || workload.kind === 'guestStart';
      const init = workload.kind === 'deferredInit' ? this.deferredInit(i) : undefined;
      this.guests.push(new Guest(common, i, pins ? this.pinContext(i) : undefined, init));
    }
  }

  private pinContext(index: number): PinContext {
    const { kernel, workload, machine } = this.cell;
    const { lockLimit, memoryLimit, start, taskPolicy, prefaulted } = workload;
    const pagesOf = (bytes: number): number => (bytes === 0 ? Infinity : Math.floor(bytes / PAGE_BYTES));
    const errors = numbersOf(workload.errorPages).map((page) => start / PAGE_BYTES + page);
    const limits = { lockedPages: pagesOf(lockLimit), memoryPages: pagesOf(memoryLimit) };
    const mm = new Mm(
      this.machine,
      `mm${index}`,
      limits,
      errors.sort((a, b) => a - b),
      this.lines,
      { readerStealing: kernel.readerStealing, wakeNs: Math.round(machine.constants['wakeNs']!) },
    );
    const costs = pinCosts(machine.constants, kernel, workload);
    return new PinContext(this.pinPlace, kernel, mm, costs, { taskPolicy, prefaulted });
  }

  private deferredInit(node: number): DeferredInit {
    const { constants } = this.cell.machine;
    return new DeferredInit(
      this.pinPlace.rates,
      node,
      constants['structPageNs']!,
      constants['structPageTrafficBytes']!,
      constants['structPageWorkerSpeedRatio']!,
    );
  }

  private noteDebt(): void {
    for (let group = this.group; group !== undefined; group = group.parent) {
      invariant(group.pool.debtNs >= 0, 'padata: debt below 0');
      if (group.pool.debtNs > this.debtMaxNs) this.debtMaxNs = group.pool.debtNs;
    }
  }

  /** At every level with a quota: what was charged came from its pool or is debt. */
  private checkCharges(): void {
    const charged = this.guests.flatMap(({ jobs }) => jobs.flatMap(({ helpers }) => helpers));
    const chargedNs = charged.reduce((sum, helper) => sum + helper.chargedNs, 0);
    for (let group = this.group; group !== undefined; group = group.parent) {
      const { pool } = group;
      if (!pool.limited) continue;
      invariant(
        Math.abs(pool.chargedNs - chargedNs) < 1,
        'padata: a group was charged something else than its helpers say',
      );
      const splitNs = pool.chargedFromPoolNs + pool.debtAddedNs;
      invariant(Math.abs(splitNs - pool.chargedNs) < 1, 'padata: a charge came neither from the pool nor as debt');
    }
  }

  /** Accounting after a job: all of it, or nothing. */
  private checkGuest({ pin, job, jobs }: Guest): void {
    if (pin === undefined) return;
    const { kernel } = this.cell;
    const { mm } = pin;
    const pages = job.spec.size / PAGE_BYTES + (jobs.length > 1 ? LOW_BYTES / PAGE_BYTES : 0);
    invariant(mm.cachedPages === 0, 'padata: pages reserved and never given back');
    const ranges = mm.pinnedRanges();
    const pinned = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    invariant(pinned === mm.pinnedPages, 'padata: the ledger of pins and the count of pinned pages differ');
    const complete = jobs.every(({ failedChunks, error }) => failedChunks === 0 && error === 0);
    if (this.cell.workload.lockOrder !== 'fine') return;
    if (complete) {
      invariant(pinned === pages && mm.undonePages === 0, `padata: ${pinned} of ${pages} pages pinned`);
      invariant(mm.lockedPages === pages, 'padata: locked_vm after success is what was pinned');
    } else if (jobs.length === 1 && (kernel.undo || job.requested === 1)) {
      invariant(pinned === 0 && mm.lockedPages === 0, `padata: ${pinned} pages pinned after an error`);
    }
  }
}
