// What arrives at one packet thread: when, and of which flow. Flows are numbered; a number is a tuple.
import type { RandomStream } from '@kworkbench/machine';
import type { ConntrackWorkload } from '../workloads.js';
import { kindAfter, Tm } from './timeouts.js';

/** Flows that a thread has open at a time (kinds churn, zones, policies). */
const WINDOW = 32;
/** Exponent of the popularity of established flows. */
const ZIPF = 1.1;
/** Tuples of one thread begin there; those that are in the table from the begin are below. */
const FIRST_NEW = 8_000_000;
const PER_THREAD = 8_000_000;

export class Traffic {
  /** The present packet. */
  key = 0;
  zone = 0;
  tm: Tm = Tm.OtherFirst;
  /** All packets to come are of one flow. */
  readonly uniform: boolean;
  readonly arrivalNs: Float64Array;
  nextArrivalNs: number;
  private packets = 0;
  private readonly endNs: number;
  private readonly gapNs: number;
  private readonly base: number;
  private readonly popularity: Float64Array | undefined;
  private readonly own: number;

  constructor(
    private readonly workload: ConntrackWorkload,
    private readonly thread: number,
    private readonly random: RandomStream,
  ) {
    const { kind, connections, threads, batch } = workload;
    const paced = kind !== 'benchmark';
    this.uniform = (kind === 'benchmark' && connections === 1) || kind === 'massExpiry';
    this.arrivalNs = new Float64Array(batch);
    this.endNs = paced ? workload.duration * 1e9 : Infinity;
    this.gapNs = paced ? 1e9 / workload.packetRate : 0;
    this.nextArrivalNs = paced ? random.exponential(this.gapNs) : 0;
    this.base = FIRST_NEW + (workload.shared ? 0 : thread * PER_THREAD);
    // Receive side scaling: every tuple belongs to one thread.
    this.own = Math.max(1, Math.floor((connections - thread + threads - 1) / threads));
    if (kind === 'established' || kind === 'flush') this.popularity = zipf(this.own);
  }

  get over(): boolean {
    if (this.workload.kind === 'benchmark') return this.packets >= this.workload.packets;
    return this.nextArrivalNs >= this.endNs;
  }

  /** Takes what has arrived, up to a batch. */
  take(nowNs: number): number {
    const { batch, packets } = this.workload;
    if (this.gapNs === 0) return Math.min(batch, packets - this.packets);
    let taken = 0;
    while (taken < batch && this.nextArrivalNs <= nowNs && this.nextArrivalNs < this.endNs) {
      this.arrivalNs[taken++] = this.nextArrivalNs;
      this.nextArrivalNs += this.random.exponential(this.gapNs);
    }
    return taken;
  }

  /** Goes on to the next packet. */
  pick(): void {
    const { kind, connections } = this.workload;
    const nth = this.packets++;
    switch (kind) {
      case 'benchmark':
        this.key = this.base + (nth % connections);
        this.tm = nth < connections ? Tm.OtherFirst : Tm.OtherMultiple;
        return;
      case 'massExpiry':
        this.key = this.base;
        this.tm = nth === 0 ? Tm.OtherFirst : Tm.OtherMultiple;
        return;
      case 'synFlood':
        this.flow(nth, 0, 1);
        this.tm = Tm.TcpFirstPacket;
        return;
      case 'established':
      case 'flush':
        this.known(nth);
        return;
      default: {
        const { flowPackets } = this.workload;
        const round = Math.floor(nth / WINDOW);
        this.flow(Math.floor(round / flowPackets) * WINDOW + (nth % WINDOW), round % flowPackets, flowPackets);
      }
    }
  }

  /** The packet is one of several that are alike; they count as picked. */
  skip(packets: number): void {
    this.packets += packets;
  }

  private flow(flow: number, nth: number, packets: number): void {
    this.key = this.base + flow;
    this.zone = flow % this.workload.zones;
    this.tm = kindAfter(this.workload.protocol, nth, packets);
  }

  private known(nth: number): void {
    const { threads, newRatio, kind, zones } = this.workload;
    if (kind === 'established' && this.random.chance(newRatio)) {
      this.flow(nth, 0, 1);
      return;
    }
    const rank = lowerBound(this.popularity!, this.random.uniform());
    this.key = this.thread + rank * threads;
    this.zone = this.key % zones;
    this.tm = Tm.OtherMultiple;
  }
}

function zipf(count: number): Float64Array {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) cumulative[rank] = sum += (rank + 1) ** -ZIPF;
  return cumulative.map((value) => value / sum);
}

/** The first index whose value is above `value`. */
function lowerBound(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
