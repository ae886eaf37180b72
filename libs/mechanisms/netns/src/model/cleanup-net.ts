// cleanup_net() of net/core/net_namespace.c: one pass takes the whole list and tears it down.
//
// Order within a pass: unlink; a grace period; devices under RTNL; first rcu_barrier() (netdev_run_todo); exit methods,
// which queue the fqdirs and post callbacks; second rcu_barrier(); struct nets of the pass before; done.
import {
  type Cpu,
  invariant,
  type Machine,
  MIGRATE,
  type Mutex,
  type RandomStream,
  type Rcu,
  type RcuBarrier,
  type TaskBody,
} from '@kworkbench/machine';
import type { NetnsKernel } from '../kernel.js';
import type { NsCosts } from './costs.js';
import type { InetFragment } from './inet-fragment.js';
import type { Namespaces } from './namespaces.js';
import type { NsMemory } from './ns-memory.js';

/** Callbacks of a phase are posted in this many steps at most: enough to be linear, few enough to be fast. */
const PHASE_SLICES = 64;

/** Namespaces in one of `slices` nearly equal parts of `count`. */
const sliceOf = (count: number, slices: number, slice: number): number =>
  Math.floor(((slice + 1) * count) / slices) - Math.floor((slice * count) / slices);

/** What one pass took, for the table of passes. Times in ns. */
export interface PassRecord {
  readonly endNs: number;
  readonly batch: number;
  readonly gpNs: number;
  readonly rtnlNs: number;
  readonly firstBarrierNs: number;
  readonly exitNs: number;
  readonly secondBarrierNs: number;
  readonly totalNs: number;
}

export interface CleanupParts {
  readonly machine: Machine;
  readonly kernel: NetnsKernel;
  readonly costs: NsCosts;
  readonly constants: Readonly<Record<string, number>>;
  readonly random: RandomStream;
  readonly rcu: Rcu;
  readonly barrier: RcuBarrier;
  readonly rtnl: Mutex;
  readonly namespaces: Namespaces;
  readonly memory: NsMemory;
  readonly fragment: InetFragment;
  readonly passDone: (pass: PassRecord) => void;
}

export class CleanupNet {
  passes = 0;
  batchMax = 0;
  private inside = false;

  constructor(private readonly parts: CleanupParts) {}

  *run(): TaskBody {
    const { machine, kernel, costs, constants, rcu, barrier, rtnl, namespaces, memory } = this.parts;
    invariant(!this.inside, 'I5: two cleanup_net() at once');
    this.inside = true;
    const startNs = machine.nowNs;
    yield* this.moveTo(this.pickCpu());
    const batch = namespaces.takeList(kernel.batchCap);
    const count = batch.length;
    if (count > this.batchMax) this.batchMax = count;

    yield count * constants['unlinkPerNsNs']!;
    if (kernel.expedited) yield* rcu.synchronizeExpedited();
    else yield* rcu.synchronize();
    const gpEndNs = machine.nowNs;

    yield* rtnl.lock();
    yield costs.passFixedNs;
    yield* this.unregisterDevices(count);
    rtnl.unlock();
    const rtnlEndNs = machine.nowNs;

    yield* barrier.wait();
    const firstBarrierEndNs = machine.nowNs;
    memory.freeDevices(count);

    yield* this.exitMethods(count);
    const exitEndNs = machine.nowNs;

    yield* barrier.wait();
    memory.freeAtPassEnd(count);
    namespaces.finishPass(batch);
    this.passes++;
    this.inside = false;
    this.parts.passDone({
      endNs: machine.nowNs,
      batch: count,
      gpNs: gpEndNs - startNs,
      rtnlNs: rtnlEndNs - gpEndNs,
      firstBarrierNs: firstBarrierEndNs - rtnlEndNs,
      exitNs: exitEndNs - firstBarrierEndNs,
      secondBarrierNs: machine.nowNs - exitEndNs,
      totalNs: machine.nowNs - startNs,
    });
  }

  /** default_device_exit_batch(): in_device, inet6_dev, qdiscs and neighbours go by call_rcu(). */
  private *unregisterDevices(count: number): TaskBody {
    const { machine, costs, constants, rcu } = this.parts;
    const share = constants['rtnlShareRatio']!;
    const slices = Math.min(PHASE_SLICES, count);
    for (let slice = 0; slice < slices; slice++) {
      const inSlice = sliceOf(count, slices, slice);
      yield Math.round(share * costs.teardownNs * inSlice);
      const callbacks = Math.round(share * costs.otherCallbacks * inSlice);
      rcu.callRcu(machine.current.cpu, callbacks, Math.round(callbacks * constants['rcuCallbackNs']!));
    }
  }

  /**
   * ops_exit_list() of every subsystem in turn, each over the whole batch. The users of fragment reassembly are some
   * of them, taken as evenly spread; all fqdirs of one type go to the pool of the CPU that the worker is on when it
   * gets there.
   */
  private *exitMethods(count: number): TaskBody {
    const { machine, kernel, costs, constants, rcu, memory, fragment } = this.parts;
    const rtnlShare = constants['rtnlShareRatio']!;
    const slices = Math.min(PHASE_SLICES, count);
    const spread = Math.min(constants['poolSpread']!, machine.cpus.length);
    const cpus: Cpu[] = [];
    let type = 0;
    for (let slice = 0; slice < slices; slice++) {
      const inSlice = sliceOf(count, slices, slice);
      yield Math.round((1 - rtnlShare) * costs.teardownNs * inSlice);
      const others = Math.round((1 - rtnlShare) * costs.otherCallbacks * inSlice);
      const ofSocks = 2 * costs.socks * inSlice;
      const callbacksNs = others * constants['rcuCallbackNs']! + ofSocks * constants['rcuSockCallbackNs']!;
      rcu.callRcu(machine.current.cpu, others + ofSocks, Math.round(callbacksNs), () => memory.freeExited(inSlice));
      for (; type < kernel.fqdirsPerNs && (slice + 1) * (kernel.fqdirsPerNs + 1) >= (type + 1) * slices; type++) {
        const slot = type % spread;
        cpus[slot] ??= slot === 0 ? machine.current.cpu : this.pickCpu();
        yield* this.moveTo(cpus[slot]);
        fragment.exitBatch(machine.current.cpu, type, count);
      }
    }
  }

  /** An unbound worker is woken on whichever CPU is idle: any of them. */
  private pickCpu(): Cpu {
    const { machine, random } = this.parts;
    const start = machine.cpus[random.below(machine.cpus.length)]!;
    return machine.scheduler.findIdle(start) ?? machine.current.cpu;
  }

  private *moveTo(cpu: Cpu): TaskBody {
    const task = this.parts.machine.current;
    if (task.cpu === cpu) return;
    task.cpu = cpu;
    yield MIGRATE;
  }
}
