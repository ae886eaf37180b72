// One netns system: the machine of a cell with the namespaces, their cleanup and the user threads on it, wired together.
import { Machine, Memory, Mutex, Rcu, RcuBarrier, Work, type Workqueue, Workqueues } from '@kworkbench/machine';
import type { Cell } from '@kworkbench/mechanism';
import type { NetnsKernel } from '../kernel.js';
import type { NetnsWorkload } from '../workloads.js';
import { CleanupNet, type PassRecord } from './cleanup-net.js';
import { type NsCosts, nsCosts } from './costs.js';
import { InetFragment } from './inet-fragment.js';
import { Namespaces } from './namespaces.js';
import { NsMemory } from './ns-memory.js';
import { UnshareLoop } from './unshare.js';

export type NetnsCell = Cell<NetnsKernel, NetnsWorkload>;

/** inet_frag_wq of v4 is created with max_active 1. */
const INET_FRAG_WQ_MAX_ACTIVE = 1;

export class NetnsSystem {
  readonly costs: NsCosts;
  readonly machine: Machine;
  readonly memory: Memory;
  readonly nsMemory: NsMemory;
  readonly rcu: Rcu;
  readonly barrier: RcuBarrier;
  readonly workqueues: Workqueues;
  readonly systemWq: Workqueue;
  readonly namespaces: Namespaces;
  readonly fragment: InetFragment;
  readonly cleanup: CleanupNet;
  readonly loop: UnshareLoop;
  readonly passes: PassRecord[] = [];
  loopEndNs = -1;
  availableAtLoopEndBytes = 0;

  constructor(
    readonly cell: NetnsCell,
    private readonly onPass: (pass: PassRecord) => void,
  ) {
    const { machine: spec, kernel, workload } = cell;
    const { cpus, constants } = spec;
    const costs = nsCosts(constants, kernel, cpus);
    this.costs = costs;
    const constant = (name: string): number => constants[name]!;

    const machine = new Machine({
      cpus,
      hz: spec.hz,
      seed: cell.seed,
      contextSwitchNs: constant('contextSwitchNs'),
      schedSliceNs: constant('schedSliceNs'),
    });
    this.machine = machine;
    this.memory = new Memory({
      totalBytes: spec.memoryBytes,
      baseBytes: constant('baseMemoryBytes'),
      lowWaterBytes: constant('lowWaterRatio') * spec.memoryBytes,
      minWaterBytes: constant('minWaterRatio') * spec.memoryBytes,
      stallMinRatio: constant('reclaimStallMinRatio'),
      stallMaxRatio: constant('reclaimStallMaxRatio'),
    });
    this.nsMemory = new NsMemory(this.memory, constants, costs, cpus, kernel.fqdirsPerNs);
    this.rcu = new Rcu(machine, {
      gpNs: costs.gpNs,
      gpJitterRatio: constant('rcuGpJitterRatio'),
      expeditedNs: constant('rcuExpeditedNs'),
      callbackNs: constant('rcuCallbackNs'),
      blimit: constant('rcuBlimit'),
      divisor: constant('rcuDivisor'),
      qhimark: constant('rcuQhimark'),
      qlowmark: constant('rcuQlowmark'),
    });
    this.barrier = new RcuBarrier(machine, this.rcu, {
      kind: kernel.barrier,
      fair: kernel.barrierMutex === 'fair',
      stealProbability: constant('mutexStealProbability'),
      ipiNs: constant('rcuIpiNs'),
    });
    this.workqueues = new Workqueues(machine, {
      workerCreateNs: constant('workerCreateNs'),
      workerIdleTimeoutNs: constant('workerIdleTimeoutNs'),
    });
    this.systemWq = this.workqueues.alloc(kernel.maxActive);
    const rtnl = new Mutex(machine, 'rtnl_mutex');

    const netnsWq = this.workqueues.allocOrdered('netns');
    const cleanupWork = new Work(() => this.cleanup.run());
    this.namespaces = new Namespaces(this.nsMemory, kernel.userLimit, () => {
      netnsWq.queueOn(machine.current.cpu, cleanupWork);
    });
    this.fragment = new InetFragment(
      kernel,
      {
        systemWq: this.systemWq,
        inetFragWq: this.workqueues.alloc(INET_FRAG_WQ_MAX_ACTIVE),
        fqdirWq: this.workqueues.allocOrdered('fqdir'),
        queueDelayed: (queue, cpu, work, delayNs) => this.workqueues.queueDelayed(queue, cpu, work, delayNs),
      },
      this.barrier,
      this.nsMemory,
      { rhashDestroyNs: constant('rhashDestroyNs'), fqdirFreeNs: constant('fqdirFreeNs') },
      () => this.stopWhenGone(),
    );
    this.cleanup = new CleanupNet({
      machine,
      kernel,
      costs,
      constants,
      rcu: this.rcu,
      barrier: this.barrier,
      rtnl,
      namespaces: this.namespaces,
      memory: this.nsMemory,
      fragment: this.fragment,
      passDone: (pass) => {
        this.passes.push(pass);
        this.onPass(pass);
        this.stopWhenGone();
      },
    });
    this.loop = new UnshareLoop({
      machine,
      kernel,
      workload,
      costs,
      constants,
      memory: this.memory,
      nsMemory: this.nsMemory,
      namespaces: this.namespaces,
      rtnl,
      loopEnded: () => this.endLoop(),
    });
  }

  start(): void {
    const { constants, cpus } = this.cell.machine;
    this.rcu.startBackground(constants['rcuBackgroundPerCpuPerSecond']! * cpus);
    this.loop.start();
    for (let i = 0; i < this.cell.workload.barrierUsers; i++) this.startBarrierUser(i);
  }

  /** Another caller of rcu_barrier(): module unload, unmount, `ip link del` (W7). */
  private startBarrierUser(index: number): void {
    const { machine, barrier, cell } = this;
    const periodNs = Math.max(1, Math.round(cell.workload.barrierPeriod * 1e9));
    const offsetNs = machine.random(`barrier user ${index}`).below(periodNs);
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
    this.stopWhenGone();
  }

  private stopWhenGone(): void {
    if (this.loopEndNs >= 0 && this.namespaces.outstanding === 0 && this.fragment.pending === 0) this.machine.stop();
  }
}
