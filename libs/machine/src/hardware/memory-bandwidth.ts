// The memory controllers of the NUMA nodes as shared resources: who streams from a node now, and how fast each may.
//
// Each stream wants up to what its CPU could consume alone; a node that cannot serve all serves them max-min fairly: those
// that want less than an equal part get what they want, the others share the rest alike. With equal streams that is
// processor sharing: each of n runs at min(1, S / n), where S streams saturate the node.
//
// Only CPUs that run such a task right now are streams. A change of membership or of a CPU's speed makes a node dirty; its
// level is worked out again once per instant, by whoever asks for it (see rates.ts).
import { invariant } from '../invariant.js';

/** What a memory-bound phase of a task asks of a node. Made once per kind of work and node. */
export class MemoryPhase {
  /**
   * @param node where the memory is, which need not be the node of the CPU.
   * @param bytesPerNs what the task moves per ns of CPU time at full speed; more than 0. 1 byte a ns is 1 GB/s.
   * @param limit the most of its full speed that the task reaches even with idle memory, in (0, 1]: its own inefficiency.
   */
  constructor(
    readonly node: number,
    readonly bytesPerNs: number,
    readonly limit = 1,
  ) {
    invariant(Number.isInteger(node) && node >= 0, 'memory phase: node is an index');
    invariant(bytesPerNs > 0 && bytesPerNs < Infinity, 'memory phase: bytesPerNs is more than 0');
    invariant(limit > 0 && limit <= 1, 'memory phase: limit is in (0, 1]');
  }
}

/**
 * The level of max-min fairness: every stream gets the smaller of its demand and this; Infinity when all get theirs.
 * @param demands sorted in place if need be; the first `count` are used.
 */
export function fairLevel(demands: Float64Array, count: number, capacity: number): number {
  let sum = 0;
  let least = Infinity;
  for (let i = 0; i < count; i++) {
    const demand = demands[i]!;
    sum += demand;
    if (demand < least) least = demand;
  }
  if (sum <= capacity) return Infinity;
  // Nobody wants less than an equal part: the common case of equal streams needs no sorting.
  if (least >= capacity / count) return capacity / count;
  demands.subarray(0, count).sort();
  let left = capacity;
  for (let i = 0; i < count; i++) {
    const equal = left / (count - i);
    if (demands[i]! >= equal) return equal;
    left -= demands[i]!;
  }
  return Infinity;
}

export class MemoryBandwidth {
  /** Per node, the CPUs that stream from it: `cpus` places each. */
  private readonly members: Int32Array;
  private readonly counts: Int32Array;
  /** Place of each CPU among the members of its phase's node. */
  private readonly placeOf: Int32Array;
  private readonly phases: (MemoryPhase | undefined)[];
  private readonly levels: Float64Array;
  private readonly demands: Float64Array;

  /** @param capacity bytes per ns of each node. */
  constructor(
    private readonly cpus: number,
    readonly nodes: number,
    private readonly capacity: number,
  ) {
    if (!(capacity > 0)) throw new RangeError(`memory bandwidth: expected more than 0 bytes a ns, got ${capacity}`);
    this.members = new Int32Array(cpus * nodes);
    this.counts = new Int32Array(nodes);
    this.placeOf = new Int32Array(cpus);
    this.phases = Array.from({ length: cpus }, () => undefined);
    this.levels = new Float64Array(nodes).fill(Infinity);
    this.demands = new Float64Array(cpus);
  }

  /** What the CPU streams now. */
  phaseOf(cpu: number): MemoryPhase | undefined {
    return this.phases[cpu];
  }

  /** How many CPUs stream from the node. */
  streams(node: number): number {
    return this.counts[node]!;
  }

  /** The i-th CPU that streams from the node. */
  memberAt(node: number, i: number): number {
    return this.members[node * this.cpus + i]!;
  }

  join(cpu: number, phase: MemoryPhase): void {
    invariant(phase.node < this.nodes, `memory phase: node ${phase.node} of ${this.nodes}`);
    invariant(this.phases[cpu] === undefined, 'memory bandwidth: a CPU streams once');
    const place = this.counts[phase.node]!++;
    this.members[phase.node * this.cpus + place] = cpu;
    this.placeOf[cpu] = place;
    this.phases[cpu] = phase;
  }

  part(cpu: number): void {
    const { node } = this.phases[cpu]!;
    const base = node * this.cpus;
    const last = this.members[base + --this.counts[node]!]!;
    const place = this.placeOf[cpu]!;
    this.members[base + place] = last;
    this.placeOf[last] = place;
    this.phases[cpu] = undefined;
  }

  /**
   * Works out what the streams of a node get, given the speed of each CPU without regard to memory.
   * @returns whether it is another level than before.
   */
  settle(node: number, speeds: Float64Array): boolean {
    const before = this.levels[node]!;
    const count = this.counts[node]!;
    for (let i = 0; i < count; i++) {
      const cpu = this.memberAt(node, i);
      const phase = this.phases[cpu]!;
      this.demands[i] = phase.bytesPerNs * phase.limit * speeds[cpu]!;
    }
    const level = (this.levels[node] = fairLevel(this.demands, count, this.capacity));
    return level !== before;
  }

  /** Work per ns of a CPU of this speed, as of the last {@link settle} of its node. */
  rate(cpu: number, speed: number): number {
    const phase = this.phases[cpu];
    if (phase === undefined) return speed;
    return Math.min(speed * phase.limit, this.levels[phase.node]! / phase.bytesPerNs);
  }
}
