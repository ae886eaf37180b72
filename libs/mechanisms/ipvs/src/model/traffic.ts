// The injected truth: what the counters of every estimator hold at any time. Packets of a rule come evenly at the rate that
// it was given; connections, replies and bytes are fixed shares of them. The total of a namespace counts all its rules.
import { type Estimators } from './estimators.js';
import { CONNS, COUNTERS, INBYTES, INPKTS, OUTBYTES, OUTPKTS } from './ip-vs-stats.js';

const PACKETS_PER_CONNECTION = 10;
const PACKET_BYTES = 800;

/** Counters of a namespace's total: rules come and go. */
class Total {
  packets = 0;
  packetsPerSecond = 0;
  sinceNs = 0;
}

export class Traffic {
  /** Result of {@link read}. */
  readonly counters = new Float64Array(COUNTERS);
  private readonly totals: Total[] = [];

  constructor(
    private readonly estimators: Estimators,
    /** When all packets stop; Infinity: never. */
    private readonly stopNs: number,
  ) {}

  /** A namespace; the result is the rate to give its total's estimator, negative as a mark. */
  addTotal(): number {
    this.totals.push(new Total());
    return -this.totals.length;
  }

  /** More or fewer packets for the total that has this mark. */
  change(mark: number, packetsPerSecond: number, nowNs: number): void {
    const total = this.totals[-mark - 1]!;
    total.packets = this.totalPackets(total, nowNs);
    total.sinceNs = nowNs;
    total.packetsPerSecond += packetsPerSecond;
  }

  /** Packets that an estimator's counters hold. */
  packets(est: number, nowNs: number): number {
    const rate = this.estimators.packetsPerSecond[est]!;
    if (rate < 0) return Math.floor(this.totalPackets(this.totals[-rate - 1]!, nowNs));
    const untilNs = nowNs < this.stopNs ? nowNs : this.stopNs;
    const ns = untilNs - this.estimators.startNs[est]!;
    return ns > 0 ? Math.floor((rate * ns) / 1e9) : 0;
  }

  /** Packets per second that come now. */
  rate(est: number, nowNs: number): number {
    if (nowNs >= this.stopNs) return 0;
    const rate = this.estimators.packetsPerSecond[est]!;
    return rate < 0 ? this.totals[-rate - 1]!.packetsPerSecond : rate;
  }

  /** Sums over the CPUs of all five counters, into `counters`. */
  read(est: number, nowNs: number): Float64Array {
    const { counters } = this;
    const packets = this.packets(est, nowNs);
    counters[INPKTS] = packets;
    counters[CONNS] = Math.floor(packets / PACKETS_PER_CONNECTION);
    counters[OUTPKTS] = packets;
    counters[INBYTES] = packets * PACKET_BYTES;
    counters[OUTBYTES] = packets * PACKET_BYTES;
    return counters;
  }

  private totalPackets(total: Total, nowNs: number): number {
    const ns = Math.min(nowNs, this.stopNs) - total.sinceNs;
    return total.packets + (ns > 0 ? (total.packetsPerSecond * ns) / 1e9 : 0);
  }
}
