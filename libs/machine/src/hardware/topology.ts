// Which CPU is where: sockets, NUMA nodes, cores and SMT siblings.
//
// CPUs are numbered as Linux numbers them on most x86 hosts (firmware lists one thread of every core before the second
// ones): with c cores, CPU i is thread floor(i / c) of core i mod c, so the sibling of CPU 3 on 52 cores is CPU 55.
// Cores are numbered socket by socket, and node by node within a socket, so every part is a range of cores.
// Everything is worked out once into typed arrays: a look-up is one load.

export interface TopologyShape {
  /** Packages with a last-level cache and a clock frequency of their own. Default 1. */
  readonly sockets?: number;
  /** NUMA nodes in each socket (sub-NUMA clustering, NPS). Default 1. */
  readonly nodesPerSocket?: number;
  /** SMT siblings of a core. Default 1. */
  readonly threadsPerCore?: number;
}

/** How far a cache line has to travel from one CPU to another. */
export const enum Distance {
  /** The same core, hence the same private caches: nothing moves. */
  Core,
  /** Another core of the same socket. */
  Near,
  /** Another socket. */
  Far,
}

export class Topology {
  readonly sockets: number;
  readonly nodes: number;
  readonly cores: number;
  readonly threadsPerCore: number;
  readonly coresPerSocket: number;
  readonly coresPerNode: number;
  /** Core of each CPU. */
  readonly coreOf: Int32Array;
  /** Socket of each CPU. */
  readonly socketOf: Int32Array;
  /** NUMA node of each CPU. */
  readonly nodeOf: Int32Array;

  /** @throws RangeError when `cpus` cannot be divided into this shape, see {@link topologyProblem}. */
  constructor(
    readonly cpus: number,
    shape: TopologyShape = {},
  ) {
    const problem = topologyProblem(cpus, shape);
    if (problem !== undefined) throw new RangeError(`topology: ${problem}`);
    this.sockets = shape.sockets ?? 1;
    this.nodes = this.sockets * (shape.nodesPerSocket ?? 1);
    this.threadsPerCore = shape.threadsPerCore ?? 1;
    this.cores = cpus / this.threadsPerCore;
    this.coresPerSocket = this.cores / this.sockets;
    this.coresPerNode = this.cores / this.nodes;
    this.coreOf = Int32Array.from({ length: cpus }, (_, cpu) => cpu % this.cores);
    this.socketOf = this.coreOf.map((core) => Math.floor(core / this.coresPerSocket));
    this.nodeOf = this.coreOf.map((core) => Math.floor(core / this.coresPerNode));
  }

  distance(from: number, to: number): Distance {
    if (this.coreOf[from] === this.coreOf[to]) return Distance.Core;
    return this.socketOf[from] === this.socketOf[to] ? Distance.Near : Distance.Far;
  }

  /** CPU number of a thread (0 up to threadsPerCore) of a core. */
  cpuAt(core: number, thread: number): number {
    return thread * this.cores + core;
  }

  /** The CPUs of a core, lowest first (thread_siblings_list). For setting up, not for hot paths: it allocates. */
  siblings(core: number): number[] {
    return Array.from({ length: this.threadsPerCore }, (_, thread) => this.cpuAt(core, thread));
  }

  /** The CPUs of a NUMA node, lowest first (cpulist of the node). Allocates. */
  cpusOfNode(node: number): number[] {
    return this.cpusOfCores(node * this.coresPerNode, this.coresPerNode);
  }

  /** The CPUs of a socket, lowest first. Allocates. */
  cpusOfSocket(socket: number): number[] {
    return this.cpusOfCores(socket * this.coresPerSocket, this.coresPerSocket);
  }

  private cpusOfCores(first: number, count: number): number[] {
    return Array.from({ length: count * this.threadsPerCore }, (_, i) =>
      this.cpuAt(first + (i % count), Math.floor(i / count)),
    );
  }
}

/** Why `cpus` CPUs cannot have this shape, in words for the user; undefined when they can. */
export function topologyProblem(cpus: number, shape: TopologyShape): string | undefined {
  const { sockets = 1, nodesPerSocket = 1, threadsPerCore = 1 } = shape;
  for (const [name, value] of Object.entries({ cpus, sockets, nodesPerSocket, threadsPerCore })) {
    if (!(Number.isInteger(value) && value >= 1)) return `${name}: expected an integer of at least 1, got ${value}`;
  }
  const unit = sockets * nodesPerSocket * threadsPerCore;
  if (cpus % unit === 0) return undefined;
  return `${cpus} CPUs do not divide into ${sockets} sockets of ${nodesPerSocket} nodes with ${threadsPerCore} threads a core; expected a multiple of ${unit}`;
}
