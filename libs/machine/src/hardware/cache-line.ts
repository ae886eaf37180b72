// Who has a cache line, and what it costs another CPU to get it (MESI; modified and exclusive are one state here).
//
// A line is in memory, or one core has it to itself, or several share it for reading. Reading it where it is and writing
// it where it is exclusive is free; anything else moves the line or invalidates copies, which takes a time by distance.
// Private caches belong to cores, so SMT siblings hit each other's lines.
//
// A contested line is a serial resource: the directory works on one transaction of a line at a time, in the order of the
// requests, so a transfer begins when the one before it has ended and N CPUs that write one line wait for each other.
// Only reads of a line that is shared already do not wait for one another: the last-level cache serves them side by side.
// Contention therefore comes from the order of accesses, never from a factor.
//
// Invariants: a line that is exclusive has no other copy; a set of sharers has two members or more; completion times of
// transfers that move ownership never decrease. Left out: evictions for lack of room (a model calls `evict` where it
// matters), the requests that overtake others, and the links between sockets as a resource of their own.
import { invariant } from '../invariant.js';
import { SharerSets } from './sharers.js';
import { Distance, type Topology } from './topology.js';

export interface CacheLineCosts {
  /** From another core of the socket, or to invalidate copies there. */
  readonly nearNs: number;
  /** From another socket, or to invalidate copies there. */
  readonly farNs: number;
  /** From memory, when no core has the line. */
  readonly memoryNs: number;
}

/** Anything that knows the present instant; a Machine does. */
export interface Clock {
  readonly nowNs: number;
}

const INITIAL_LINES = 256;
/** No core has the line. Other negative values are -2 minus the number of a set of sharers. */
const NOBODY = -1;

export class CacheLines {
  /** Accesses that found the line where they wanted it. */
  hits = 0;
  /** Transfers and invalidations within a socket, between sockets, and from memory. */
  nearTransfers = 0;
  farTransfers = 0;
  memoryTransfers = 0;
  /** Time that transfers waited for earlier ones of the same line. */
  waitNs = 0;
  private readonly sharers: SharerSets;
  private readonly coreOf: Int32Array;
  private readonly socketOf: Int32Array;
  private readonly nearNs: number;
  private readonly farNs: number;
  private readonly memoryNs: number;
  /** A core, {@link NOBODY}, or a set of sharers. */
  private holder = new Int32Array(INITIAL_LINES);
  /** When the last transfer of the line ends. */
  private busyUntil = new Float64Array(INITIAL_LINES);
  /** When the shared copy can be read: the end of the last transfer that moved ownership. */
  private readableFrom = new Float64Array(INITIAL_LINES);
  private transfers = new Uint32Array(INITIAL_LINES);
  private freed = new Int32Array(INITIAL_LINES);
  private freedCount = 0;
  private made = 0;

  constructor(
    private readonly clock: Clock,
    private readonly topology: Topology,
    costs: CacheLineCosts,
  ) {
    for (const [name, ns] of Object.entries(costs)) {
      if (!(ns >= 0 && ns < Infinity)) throw new RangeError(`cache lines: ${name}: expected 0 or more, got ${ns}`);
    }
    this.nearNs = Math.round(costs.nearNs);
    this.farNs = Math.round(costs.farNs);
    this.memoryNs = Math.round(costs.memoryNs);
    this.sharers = new SharerSets(topology);
    this.coreOf = topology.coreOf;
    this.socketOf = topology.socketOf;
  }

  /** Memory that the lines take in the simulator. */
  get bytes(): number {
    const own = [this.holder, this.busyUntil, this.readableFrom, this.transfers, this.freed];
    return own.reduce((sum, array) => sum + array.byteLength, this.sharers.bytes);
  }

  /** A new line, in memory. Give it back with {@link remove} when the object that it holds is freed. */
  add(): number {
    if (this.freedCount > 0) return this.freed[--this.freedCount]!;
    if (this.made === this.holder.length) this.grow();
    this.holder[this.made] = NOBODY;
    return this.made++;
  }

  /** A line as an object, for a lock or another long-lived thing. */
  line(): CacheLine {
    return new CacheLine(this, this.add());
  }

  remove(line: number): void {
    this.evict(line);
    this.busyUntil[line] = 0;
    this.readableFrom[line] = 0;
    this.transfers[line] = 0;
    this.freed[this.freedCount++] = line;
  }

  /** Writes the line back to memory: the next access by anybody gets it from there. Takes no time of its own. */
  evict(line: number): void {
    const holder = this.holder[line]!;
    if (holder < NOBODY) this.sharers.release(-2 - holder);
    this.holder[line] = NOBODY;
  }

  /** Loads from the line. @returns ns until the value is there, 0 on a hit; the CPU spends them (`yield` them). */
  read(line: number, cpu: number): number {
    const core = this.coreOf[cpu]!;
    const holder = this.holder[line]!;
    if (holder === core) return this.hit(line);
    if (holder === NOBODY) return this.fetch(line, core);
    if (holder >= 0) {
      const doneNs = this.transfer(line, this.costBetween(cpu, holder));
      const set = this.sharers.acquire();
      this.sharers.add(set, holder);
      this.sharers.add(set, core);
      this.holder[line] = -2 - set;
      return doneNs - this.clock.nowNs;
    }
    const set = -2 - holder;
    if (this.sharers.has(set, core)) {
      this.hits++;
      return 0;
    }
    const costNs = this.count(this.sharers.anyIn(set, this.socketOf[cpu]!));
    this.sharers.add(set, core);
    return this.readShared(line, costNs);
  }

  /** Stores to the line, or does an atomic read-modify-write. @returns ns until the core has it to itself, 0 on a hit. */
  write(line: number, cpu: number): number {
    const core = this.coreOf[cpu]!;
    const holder = this.holder[line]!;
    if (holder === core) return this.hit(line);
    if (holder === NOBODY) return this.fetch(line, core);
    let costNs: number;
    if (holder >= 0) {
      costNs = this.costBetween(cpu, holder);
    } else {
      // Data and acknowledgements travel side by side: the farthest copy says how long it takes.
      costNs = this.count(!this.sharers.anyOutside(-2 - holder, this.socketOf[cpu]!));
      this.sharers.release(-2 - holder);
    }
    this.holder[line] = core;
    return this.transfer(line, costNs) - this.clock.nowNs;
  }

  /** Whether the CPU can read the line without a transfer. */
  has(line: number, cpu: number): boolean {
    const core = this.coreOf[cpu]!;
    const holder = this.holder[line]!;
    return holder === core || (holder < NOBODY && this.sharers.has(-2 - holder, core));
  }

  /** Whether the CPU can write the line without a transfer. */
  owns(line: number, cpu: number): boolean {
    return this.holder[line] === this.coreOf[cpu];
  }

  /** Transfers of this line so far: which line bounces? */
  transfersOf(line: number): number {
    return this.transfers[line]!;
  }

  /** The core has the line, or it is on its way there for another access of the core. */
  private hit(line: number): number {
    this.hits++;
    const leftNs = this.busyUntil[line]! - this.clock.nowNs;
    return leftNs > 0 ? leftNs : 0;
  }

  private fetch(line: number, core: number): number {
    this.memoryTransfers++;
    this.holder[line] = core;
    return this.transfer(line, this.memoryNs) - this.clock.nowNs;
  }

  /** Moves ownership, after every transfer before. @returns when it is done. */
  private transfer(line: number, costNs: number): number {
    const nowNs = this.clock.nowNs;
    const freeNs = this.busyUntil[line]!;
    const startNs = freeNs > nowNs ? freeNs : nowNs;
    this.waitNs += startNs - nowNs;
    this.transfers[line]!++;
    this.busyUntil[line] = startNs + costNs;
    this.readableFrom[line] = startNs + costNs;
    return startNs + costNs;
  }

  /** One more reader of a shared line: waits only until the copy can be read; the next writer waits for it. */
  private readShared(line: number, costNs: number): number {
    const nowNs = this.clock.nowNs;
    const readableNs = this.readableFrom[line]!;
    const startNs = readableNs > nowNs ? readableNs : nowNs;
    this.waitNs += startNs - nowNs;
    this.transfers[line]!++;
    if (startNs + costNs > this.busyUntil[line]!) this.busyUntil[line] = startNs + costNs;
    return startNs + costNs - nowNs;
  }

  private costBetween(cpu: number, ownerCore: number): number {
    // The CPU that is thread 0 of a core has the core's number.
    return this.count(this.topology.distance(cpu, ownerCore) === Distance.Near);
  }

  private count(near: boolean): number {
    if (near) {
      this.nearTransfers++;
      return this.nearNs;
    }
    this.farTransfers++;
    return this.farNs;
  }

  private grow(): void {
    const size = this.made * 2;
    invariant(size < 2 ** 31, 'cache lines: too many');
    const int = new Int32Array(size);
    int.set(this.holder);
    this.holder = int;
    const transfers = new Uint32Array(size);
    transfers.set(this.transfers);
    this.transfers = transfers;
    const freed = new Int32Array(size);
    freed.set(this.freed);
    this.freed = freed;
    const busy = new Float64Array(size);
    busy.set(this.busyUntil);
    this.busyUntil = busy;
    const readable = new Float64Array(size);
    readable.set(this.readableFrom);
    this.readableFrom = readable;
  }
}

/** One line of {@link CacheLines}. Two locks that are given the same line share it falsely, as in memory. */
export class CacheLine {
  constructor(
    readonly lines: CacheLines,
    readonly index: number,
  ) {}

  /** See {@link CacheLines.read}; `cpu` is a CPU's index. */
  read(cpu: number): number {
    return this.lines.read(this.index, cpu);
  }

  /** See {@link CacheLines.write}; `cpu` is a CPU's index. */
  write(cpu: number): number {
    return this.lines.write(this.index, cpu);
  }
}
