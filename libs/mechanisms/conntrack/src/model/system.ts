// One conntrack on a host: the table, packet threads, ct_clean, the urcu thread and whoever configures it, wired together.
import { type CacheLines, CpuMask, invariant, Lockdep, type Machine, type Task } from '@kworkbench/machine';
import type { Cell, Instance, Place } from '@kworkbench/mechanism';
import { durationHistogram } from '@kworkbench/telemetry';
import type { ConntrackKernel } from '../kernel.js';
import type { ConntrackWorkload } from '../workloads.js';
import { Admin } from './admin.js';
import { BroughtClean } from './brought-clean.js';
import { CleanLists } from './clean-lists.js';
import { CleanQueues } from './clean-queues.js';
import { CleanSweep } from './clean-sweep.js';
import { Conntrack } from './conntrack.js';
import { ctCosts } from './costs.js';
import type { CtClean } from './ct-clean.js';
import { cacheLines, setRates } from './hardware.js';
import { metricsOf } from './metrics-of.js';
import { NatPorts } from './nat-ports.js';
import { PacketThread } from './packet-thread.js';
import { ROUNDS, roundRow, SAMPLE_PERIOD_NS, sampleRow, SAMPLES } from './telemetry.js';
import { Tm } from './timeouts.js';
import { Traffic } from './traffic.js';

export type ConntrackCell = Cell<ConntrackKernel, ConntrackWorkload>;

/** Limits of zones, as a share of the flows that would be there without them. */
const ZONE_SHARE = 0.9;
const CLEANERS = { lists: CleanLists, queues: CleanQueues, rculists: CleanSweep, buckets: CleanSweep } as const;

export class ConntrackSystem implements Instance {
  readonly samplePeriodNs = SAMPLE_PERIOD_NS;
  readonly cell: ConntrackCell;
  readonly machine: Machine;
  readonly ct: Conntrack;
  readonly cleaner: CtClean;
  readonly admin: Admin | undefined;
  readonly threads: readonly PacketThread[];
  readonly latencyNs = durationHistogram(
    'packet_latency_seconds',
    'Latency of a packet: from its turn in the batch (benchmark) or its arrival',
  );
  readonly paced: boolean;
  endNs = -1;
  backlog = 0;
  backlogOldestNs = 0;
  backlogMax = 0;
  backlogOldestMaxNs = 0;
  private readonly lines: CacheLines;
  private readonly lockdep: Lockdep | undefined;
  private readonly tasks: Task[] = [];
  private live: number;
  private adminEnded = true;

  constructor(private readonly place: Place) {
    const { machine } = place.host;
    const cell = place.cell as ConntrackCell;
    const { kernel, workload } = cell;
    const { constants } = cell.machine;
    this.cell = cell;
    this.machine = machine;
    if (kernel.proveLocking) machine.lockProbe = this.lockdep = new Lockdep(machine);
    this.lines = cacheLines(machine, constants);
    const costs = ctCosts(constants, kernel.expiration === 'lists');
    const options = {
      machine,
      lines: this.lines,
      kernel,
      costs,
      timeoutSeconds: workload.timeout,
      zones: workload.zones,
    };
    const ct = new Conntrack(options);
    this.ct = ct;
    ct.rcu.onIdle = () => place.finished();
    const roundDone = (round: Parameters<typeof roundRow>[0]): void => {
      place.row(ROUNDS, roundRow(round));
      place.finished();
    };
    const Cleaner = kernel.brought === undefined ? CLEANERS[kernel.expiration] : BroughtClean;
    this.cleaner = new Cleaner({ ct, roundDone });
    this.paced = workload.kind !== 'benchmark';
    const nat = workload.nat ? new NatPorts(workload.natPorts) : undefined;
    if (nat !== undefined) ct.onClean = (conn) => nat.release(conn);
    const { latencyNs, paced } = this;
    this.live = workload.threads;
    this.threads = Array.from({ length: workload.threads }, (_, i) => {
      const traffic = new Traffic(workload, i, place.random(`traffic ${i}`));
      const random = place.random(`pmd ${i}`);
      const alone = (forNs: number): boolean => this.isAlone(forNs);
      return new PacketThread({ ct, traffic, random, latencyNs, paced, nat, alone, ended: () => this.threadEnded() });
    });
    if (Admin.needed(workload)) this.admin = new Admin({ ct, workload, random: place.random('main') });
    this.prefill();
    if (workload.kind === 'zones') this.limitZones();
  }

  start(): void {
    const { machine, cell } = this;
    const { workload } = cell;
    const { cpus } = machine;
    // The first on the host says how fast its CPUs go.
    if (machine.scheduler.rates === undefined) setRates(machine, cell.machine.constants);
    const shared = workload.packetCpus === 0 ? cpus.length : Math.min(workload.packetCpus, cpus.length);
    const mask = new CpuMask(
      cpus.length,
      cpus.slice(0, shared).map(({ index }) => index),
    );
    this.threads.forEach((thread, i) => {
      const cpu = cpus[i % shared]!;
      const where = workload.pinned ? { on: cpu } : { near: cpu, affinity: mask };
      this.tasks.push(machine.spawn(`pmd${i}`, () => thread, { ...where, userMode: true }));
    });
    const other = cpus.at(-1)!.index;
    this.ct.rcu.start(other);
    machine.spawn('ct_clean', () => this.cleaner, { near: cpus[other]!, userMode: true });
    if (this.admin !== undefined) this.startAdmin(this.admin, other);
  }

  get finished(): boolean {
    return this.endNs >= 0 && this.adminEnded && this.outstanding === 0;
  }

  /** W5 ends when all that expired has been freed. */
  get outstanding(): number {
    const { workload } = this.cell;
    if (this.endNs < 0) return NaN;
    if (workload.kind !== 'massExpiry') return 0;
    return Math.max(0, workload.connections - this.ct.removed) + this.ct.rcu.pending;
  }

  get packets(): number {
    return this.threads.reduce((sum, thread) => sum + thread.packets, 0);
  }

  get packetCpuNs(): number {
    return this.tasks.reduce((sum, task) => sum + task.cpuTimeNs, 0);
  }

  get lineTransfers(): number {
    return this.lines.nearTransfers + this.lines.farTransfers;
  }

  get drops(): number {
    return this.ct.dropsFull + this.ct.dropsZone + this.ct.dropsNat;
  }

  sample(timeNs: number): void {
    const { count, oldestNs } = this.ct.expiredBacklog(timeNs);
    this.backlog = count;
    this.backlogOldestNs = oldestNs;
    this.backlogMax = Math.max(this.backlogMax, count);
    this.backlogOldestMaxNs = Math.max(this.backlogOldestMaxNs, oldestNs);
    this.place.row(SAMPLES, sampleRow(this, timeNs));
  }

  end(): ReturnType<Instance['end']> {
    this.ct.check();
    const report = this.lockdep?.reports[0];
    if (report !== undefined)
      invariant(false, `P5: ${report.taking} inside ${report.holding.join(', ')}: ${report.kind}`);
    invariant(this.latencyNs.total === this.packets, 'each packet has one latency');
    const { watch } = this.ct;
    const histograms = [this.latencyNs, watch.waitNs, watch.holdNs].map((histogram) => histogram.snapshot());
    return { metrics: metricsOf(this), histograms };
  }

  /** One packet thread, nobody who configures, and ct_clean sleeps for longer than that. */
  private isAlone(forNs: number): boolean {
    return this.live === 1 && this.adminEnded && this.cleaner.wakeNs > this.machine.nowNs + forNs;
  }

  private threadEnded(): void {
    if (--this.live > 0) return;
    this.endNs = this.machine.nowNs;
    this.place.finished();
  }

  private startAdmin(admin: Admin, cpu: number): void {
    this.adminEnded = false;
    const body = function* (this: ConntrackSystem) {
      yield* admin.run();
      this.adminEnded = true;
      this.place.finished();
    };
    this.machine.spawn('main', () => body.call(this), { near: this.machine.cpus[cpu]!, userMode: true });
  }

  /** What is in the table at the begin: in the order in which it expires, as if it had come by packets. */
  private prefill(): void {
    const { ct, cell } = this;
    const { kind, connections, expireAfter, zones } = cell.workload;
    if (kind !== 'massExpiry' && kind !== 'established' && kind !== 'flush') return;
    const { conns, queues } = ct;
    for (let i = 0; i < connections; i++) {
      const conn = ct.insert(i, i % zones, Tm.OtherMultiple, 0);
      const timeoutNs = conns.expirationNs[conn]!;
      const share = (i + 1) / connections;
      conns.expirationNs[conn] = kind === 'massExpiry' ? expireAfter * 1e9 : Math.max(1, Math.round(share * timeoutNs));
      if (queues.length > 0) queues[Tm.OtherMultiple]!.insert(conn);
    }
  }

  private limitZones(): void {
    const { threads, packetRate, flowPackets, zones, timeout } = this.cell.workload;
    const flowsPerSecond = (threads * packetRate) / flowPackets;
    const limit = Math.max(1, Math.floor((ZONE_SHARE * flowsPerSecond * (timeout || 60)) / zones));
    this.ct.zoneLimit.fill(limit);
  }
}
