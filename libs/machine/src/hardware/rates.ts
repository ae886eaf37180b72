// How fast each CPU works: SMT siblings share a core, the busy cores of a socket share its power budget, streams share the
// bandwidth of a memory node. What a CPU does in a ns is the product of the first two, held down by the third.
//
// Rates follow who runs, and nothing else: they change only when a CPU begins or ceases to run something, or when its task
// enters or leaves a memory-bound phase. The change is worked out once per instant, by an event without delay: no time
// passes in between, so no work is charged at a wrong rate, and a mere change of tasks on a CPU re-times nobody else.
// A machine without SMT, frequency table and streams never has anything to work out, and costs nothing.
//
// Left out: the time in which a clock changes its frequency, turbo that depends on temperature or instruction mix, and the
// links between sockets: a stream from the far node costs what its phase says (give it a smaller `limit`).
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import type { Cpu } from '../sched/cpu.js';
import type { RateModel } from '../sched/rate-model.js';
import { type Task, TaskState } from '../sched/task.js';
import { MemoryBandwidth, type MemoryPhase } from './memory-bandwidth.js';
import type { Topology } from './topology.js';

/** With up to `cores` busy cores in a socket, each runs at `speed`. */
export interface FrequencyBin {
  readonly cores: number;
  readonly speed: number;
}

export interface RateSpec {
  /** Speed of each of n busy threads of one core, for n = 1, 2, ...; the last holds for more. Default: not slowed. */
  readonly smt?: readonly number[];
  /** By number of busy cores, ascending; the last bin holds for more. Default: not slowed. */
  readonly frequency?: readonly FrequencyBin[];
  /** Bandwidth of each NUMA node. Default: without limit. */
  readonly memoryBytesPerNs?: number;
}

export class HardwareRates implements RateModel {
  /** How often rates were worked out again. */
  settlements = 0;
  readonly memory: MemoryBandwidth;
  private readonly smt: Float64Array;
  private readonly frequency: Float64Array;
  /** Whether the tables ever give another speed than 1; where not, nothing is worked out. */
  private readonly siblingsMatter: boolean;
  private readonly busyCoresMatter: boolean;
  private readonly running: (Task | undefined)[];
  private readonly busyThreads: Int32Array;
  private readonly busyCores: Int32Array;
  /** Speed of each CPU without regard to memory. */
  private readonly speeds: Float64Array;
  private readonly phases = new Map<Task, MemoryPhase>();
  private readonly dirtyCores: DirtySet;
  private readonly dirtySockets: DirtySet;
  private readonly dirtyNodes: DirtySet;
  /** CPUs that began to stream, or stream at another speed of their own. */
  private readonly dirtyStreams: DirtySet;
  /** What the frequency factor of each socket was when it was last worked out. */
  private readonly appliedFrequency: Float64Array;
  private readonly settler: number;
  private settling = false;

  /**
   * Sets itself as the rate model of the machine's scheduler.
   * @throws RangeError when a table is empty, not ascending, or has a speed outside (0, 1].
   */
  constructor(
    private readonly machine: Machine,
    private readonly topology: Topology,
    spec: RateSpec,
  ) {
    invariant(topology.cpus === machine.cpus.length, 'rates: topology and machine differ in CPUs');
    this.smt = smtTable(spec.smt ?? [1], topology.threadsPerCore);
    this.frequency = frequencyTable(spec.frequency ?? [{ cores: 1, speed: 1 }], topology.coresPerSocket);
    this.siblingsMatter = this.smt.some((speed) => speed !== 1);
    this.busyCoresMatter = this.frequency.some((speed) => speed !== 1);
    this.memory = new MemoryBandwidth(topology.cpus, topology.nodes, spec.memoryBytesPerNs ?? Number.MAX_VALUE);
    this.running = Array.from({ length: topology.cpus }, () => undefined);
    this.busyThreads = new Int32Array(topology.cores);
    this.busyCores = new Int32Array(topology.sockets);
    this.speeds = new Float64Array(topology.cpus).fill(1);
    this.dirtyCores = new DirtySet(topology.cores);
    this.dirtySockets = new DirtySet(topology.sockets);
    this.dirtyNodes = new DirtySet(topology.nodes);
    this.dirtyStreams = new DirtySet(topology.cpus);
    this.appliedFrequency = new Float64Array(topology.sockets).fill(1);
    this.settler = machine.addActor(() => this.settle());
    machine.scheduler.rates = this;
  }

  /** The task's work is memory-bound from now on, until {@link leave}. It may be running or not. */
  enter(task: Task, phase: MemoryPhase): void {
    invariant(!this.phases.has(task), `memory phase: ${task.name} is in one`);
    this.phases.set(task, phase);
    const cpu = task.cpu.index;
    if (this.running[cpu] === task) this.join(cpu, phase);
  }

  leave(task: Task): void {
    invariant(this.phases.delete(task), `memory phase: ${task.name} is in none`);
    const cpu = task.cpu.index;
    if (this.running[cpu] === task) this.part(cpu);
  }

  switchedIn(cpu: Cpu, task: Task): void {
    const { index } = cpu;
    invariant(this.running[index] === undefined, 'rates: a CPU runs one task');
    this.running[index] = task;
    this.countThread(index, 1);
    const phase = this.phases.size === 0 ? undefined : this.phases.get(task);
    if (phase !== undefined) this.join(index, phase);
  }

  switchedOut(cpu: Cpu, task: Task): void {
    const { index } = cpu;
    invariant(this.running[index] === task, 'rates: a task leaves the CPU that runs it');
    this.running[index] = undefined;
    this.countThread(index, -1);
    if (this.memory.phaseOf(index) === undefined) return;
    this.part(index);
    if (task.state === TaskState.Dead) this.phases.delete(task);
  }

  private countThread(cpu: number, by: number): void {
    const core = this.topology.coreOf[cpu]!;
    const before = this.busyThreads[core]!;
    this.busyThreads[core] = before + by;
    if (this.siblingsMatter) this.mark(this.dirtyCores, core);
    if (before !== 0 && before + by !== 0) return;
    const socket = this.topology.socketOf[cpu]!;
    this.busyCores[socket]! += by;
    if (this.busyCoresMatter) this.mark(this.dirtySockets, socket);
  }

  private join(cpu: number, phase: MemoryPhase): void {
    this.memory.join(cpu, phase);
    this.dirtyStreams.add(cpu);
    this.mark(this.dirtyNodes, phase.node);
  }

  /** The CPU goes on with something else: its rate is no longer the node's affair. */
  private part(cpu: number): void {
    const { node } = this.memory.phaseOf(cpu)!;
    this.memory.part(cpu);
    this.mark(this.dirtyNodes, node);
    this.mark(this.dirtyCores, this.topology.coreOf[cpu]!);
  }

  private mark(set: DirtySet, member: number): void {
    set.add(member);
    if (this.settling) return;
    this.settling = true;
    this.machine.schedule(0, this.settler, 0);
  }

  private settle(): void {
    this.settling = false;
    this.settlements++;
    const { dirtyCores, dirtySockets, dirtyNodes } = this;
    for (let i = 0; i < dirtySockets.count; i++) this.settleSocket(dirtySockets.at(i));
    dirtySockets.clear();
    for (let i = 0; i < dirtyCores.count; i++) this.settleCore(dirtyCores.at(i));
    dirtyCores.clear();
    for (let i = 0; i < dirtyNodes.count; i++) this.settleNode(dirtyNodes.at(i));
    dirtyNodes.clear();
    this.dirtyStreams.clear();
  }

  private settleSocket(socket: number): void {
    const factor = this.frequency[this.busyCores[socket]!]!;
    if (factor === this.appliedFrequency[socket]) return;
    this.appliedFrequency[socket] = factor;
    const { coresPerSocket } = this.topology;
    for (let core = socket * coresPerSocket; core < (socket + 1) * coresPerSocket; core++) {
      if (this.busyThreads[core] !== 0) this.dirtyCores.add(core);
    }
  }

  private settleCore(core: number): void {
    const { topology } = this;
    const socket = topology.socketOf[core]!;
    const speed = this.smt[this.busyThreads[core]!]! * this.frequency[this.busyCores[socket]!]!;
    for (let thread = 0; thread < topology.threadsPerCore; thread++) {
      const cpu = topology.cpuAt(core, thread);
      const phase = this.memory.phaseOf(cpu);
      if (phase !== undefined && this.speeds[cpu] !== speed) {
        this.dirtyStreams.add(cpu);
        this.dirtyNodes.add(phase.node);
      }
      this.speeds[cpu] = speed;
      // Idle threads as well: the next task there begins with a rate that no former stream has left behind.
      if (phase === undefined) this.machine.scheduler.setRate(this.machine.cpus[cpu]!, speed);
    }
  }

  private settleNode(node: number): void {
    const { memory, dirtyStreams } = this;
    if (memory.settle(node, this.speeds)) {
      for (let i = 0; i < memory.streams(node); i++) this.applyRate(memory.memberAt(node, i));
      return;
    }
    // Everybody else streams as before.
    for (let i = 0; i < dirtyStreams.count; i++) {
      const cpu = dirtyStreams.at(i);
      if (memory.phaseOf(cpu)?.node === node) this.applyRate(cpu);
    }
  }

  private applyRate(cpu: number): void {
    this.machine.scheduler.setRate(this.machine.cpus[cpu]!, this.memory.rate(cpu, this.speeds[cpu]!));
  }
}

/** Numbers that are up for being worked out, each once, in the order in which they came. */
class DirtySet {
  count = 0;
  private readonly list: Int32Array;
  private readonly isIn: Uint8Array;

  constructor(size: number) {
    this.list = new Int32Array(size);
    this.isIn = new Uint8Array(size);
  }

  at(i: number): number {
    return this.list[i]!;
  }

  add(member: number): void {
    if (this.isIn[member] === 1) return;
    this.isIn[member] = 1;
    this.list[this.count++] = member;
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.isIn[this.list[i]!] = 0;
    this.count = 0;
  }
}

function checkSpeed(what: string, speed: number): number {
  if (!(speed > 0 && speed <= 1)) throw new RangeError(`${what}: expected a speed in (0, 1], got ${speed}`);
  return speed;
}

/** Speed by number of busy threads, from 0. */
function smtTable(smt: readonly number[], threads: number): Float64Array {
  if (smt.length === 0) throw new RangeError('smt: expected at least one speed');
  return Float64Array.from({ length: threads + 1 }, (_, n) =>
    checkSpeed('smt', smt[Math.max(0, Math.min(n, smt.length) - 1)]!),
  );
}

/** Speed by number of busy cores, from 0. */
function frequencyTable(bins: readonly FrequencyBin[], cores: number): Float64Array {
  if (bins.length === 0) throw new RangeError('frequency: expected at least one bin');
  bins.forEach((bin, i) => {
    checkSpeed('frequency', bin.speed);
    if (i > 0 && bin.cores <= bins[i - 1]!.cores) throw new RangeError('frequency: bins must ascend in cores');
  });
  return Float64Array.from(
    { length: cores + 1 },
    (_, busy) => (bins.find((bin) => busy <= bin.cores) ?? bins.at(-1)!).speed,
  );
}
