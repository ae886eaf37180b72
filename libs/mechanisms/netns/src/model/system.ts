// One netns system on a host: the namespaces, their cleanup and the user threads, wired together.
import {
  invariant,
  type Machine,
  type Memory,
  Mutex,
  type Rcu,
  type RcuBarrier,
  Work,
  type Workqueues,
} from '@kworkbench/machine';
import type { Cell, Instance, Place } from '@kworkbench/mechanism';
import type { NetnsKernel } from '../kernel.js';
import type { NetnsWorkload } from '../workloads.js';
import { CleanupNet, type PassRecord } from './cleanup-net.js';
import { type NsCosts, nsCosts } from './costs.js';
import { InetFragment } from './inet-fragment.js';
import { Namespaces } from './namespaces.js';
import { metricsOf } from './metrics-of.js';
import { NsMemory } from './ns-memory.js';
import { PASSES, passRow, SAMPLE_PERIOD_NS, sampleRow, SAMPLES } from './telemetry.js';
import { UnshareLoop } from './unshare.js';

export type NetnsCell = Cell<NetnsKernel, NetnsWorkload>;

/** inet_frag_wq of v4 is created with max_active 1. */
const INET_FRAG_WQ_MAX_ACTIVE = 1;

export class NetnsSystem implements Instance {
  readonly cell: NetnsCell;
  readonly costs: NsCosts;
  readonly machine: Machine;
  readonly memory: Memory;
  readonly nsMemory: NsMemory;
  readonly rcu: Rcu;
  readonly barrier: RcuBarrier;
  readonly workqueues: Workqueues;
  readonly namespaces: Namespaces;
  readonly fragment: InetFragment;
  readonly cleanup: CleanupNet;
  readonly loop: UnshareLoop;
  readonly passes: PassRecord[] = [];
  readonly samplePeriodNs = SAMPLE_PERIOD_NS;
  loopEndNs = -1;
  availableAtLoopEndBytes = 0;

  constructor(private readonly place: Place) {
    const { host } = place;
    const { machine, memory, rcu, barrier, workqueues, systemWq } = host;
    const cell = place.cell as NetnsCell;
    const { kernel, workload } = cell;
    const { cpus, constants } = cell.machine;
    const constant = (name: string): number => constants[name]!;
    const costs = nsCosts(constants, kernel, cpus);
    this.cell = cell;
    this.costs = costs;
    this.machine = machine;
    this.memory = memory;
    this.rcu = rcu;
    this.barrier = barrier;
    this.workqueues = workqueues;
    this.nsMemory = new NsMemory(memory, constants, costs, cpus, kernel.fqdirsPerNs);
    const rtnl = new Mutex(machine, 'rtnl_mutex');

    const netnsWq = workqueues.allocOrdered('netns');
    const cleanupWork = new Work(() => this.cleanup.run());
    this.namespaces = new Namespaces(this.nsMemory, kernel.userLimit, () => {
      netnsWq.queueOn(machine.current.cpu, cleanupWork);
    });
    this.fragment = new InetFragment(
      kernel,
      {
        systemWq,
        inetFragWq: workqueues.alloc(INET_FRAG_WQ_MAX_ACTIVE),
        fqdirWq: workqueues.allocOrdered('fqdir'),
        queueDelayed: (queue, cpu, work, delayNs) => workqueues.queueDelayed(queue, cpu, work, delayNs),
      },
      barrier,
      this.nsMemory,
      { rhashDestroyNs: constant('rhashDestroyNs'), fqdirFreeNs: constant('fqdirFreeNs') },
      place.finished,
    );
    this.cleanup = new CleanupNet({
      machine,
      kernel,
      costs,
      constants,
      random: place.random('cleanup_net'),
      rcu,
      barrier,
      rtnl,
      namespaces: this.namespaces,
      memory: this.nsMemory,
      fragment: this.fragment,
      passDone: (pass) => {
        this.passes.push(pass);
        place.row(PASSES, passRow(pass));
        place.finished();
      },
    });
    this.loop = new UnshareLoop({
      machine,
      kernel,
      workload,
      costs,
      constants,
      random: place.random,
      memory,
      nsMemory: this.nsMemory,
      namespaces: this.namespaces,
      rtnl,
      loopEnded: () => this.endLoop(),
    });
    host.oomVictims.push(() => this.loop.killNewest());
  }

  start(): void {
    this.loop.start();
    for (let i = 0; i < this.cell.workload.barrierUsers; i++) this.startBarrierUser(i);
  }

  get finished(): boolean {
    return this.loopEndNs >= 0 && this.namespaces.outstanding === 0 && this.fragment.pending === 0;
  }

  /** I8: progress until everything is gone. Before the end of the loop the next cycle may be due any time. */
  get outstanding(): number {
    return this.loopEndNs < 0 ? NaN : this.namespaces.outstanding + this.fragment.pending;
  }

  sample(timeNs: number): void {
    this.place.row(SAMPLES, sampleRow(this, timeNs));
  }

  end(): ReturnType<Instance['end']> {
    const { namespaces, fragment, nsMemory } = this;
    invariant(namespaces.created === namespaces.freed, 'I1: namespaces created and freed differ after the drain');
    invariant(fragment.refs === 0, 'I15: references on inet_frags after the drain');
    invariant(
      (this.barrier.sequence & 1) === 0 || this.cell.beside !== undefined,
      'I9: the barrier sequence is odd at rest',
    );
    const metrics = metricsOf(this);
    invariant(
      metrics.mem_leaked_bytes === 0 && nsMemory.fqdir.objects === 0,
      `I1: ${metrics.mem_leaked_bytes} bytes were not given back`,
    );
    return { metrics, histograms: [this.loop.latencyNs.snapshot(), this.barrier.waitNs.snapshot()] };
  }

  /** Another caller of rcu_barrier(): module unload, unmount, `ip link del` (W7). */
  private startBarrierUser(index: number): void {
    const { machine, barrier, cell } = this;
    const periodNs = Math.max(1, Math.round(cell.workload.barrierPeriod * 1e9));
    const offsetNs = this.place.random(`barrier user ${index}`).below(periodNs);
    const body = function* (this: NetnsSystem) {
      yield machine.sleep(offsetNs);
      while (this.loopEndNs < 0) {
        yield* barrier.wait();
        yield machine.sleep(periodNs);
      }
    };
    machine.spawn(`barrier_user/${index}`, () => body.call(this), { near: machine.cpus[index % machine.cpus.length]! });
  }

  private endLoop(): void {
    this.loopEndNs = this.machine.nowNs;
    this.availableAtLoopEndBytes = this.memory.availableBytes;
    this.place.finished();
  }
}
