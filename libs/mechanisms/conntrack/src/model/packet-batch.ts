// Several packets of one connection in one burst: where its lines are here and either no packet takes ct_lock or no other
// thread can run meanwhile (`alone`), nothing that the burst leaves out can be seen. Every lock is taken all the same, so
// that acquisitions are counted, not known.
import { invariant } from '@kworkbench/machine';
import { NewPacket } from './packet-new.js';
import { At, type PacketThreadOptions } from './packet-steps.js';

/** A burst that took more than so many times its work was preempted; up to there the CPU was slower. */
const PREEMPTED = 8;

export abstract class PacketBatch extends NewPacket {
  private readonly batchNs: Float64Array;
  private batchSumNs = 0;

  constructor(options: PacketThreadOptions) {
    super(options);
    this.batchNs = new Float64Array(options.traffic.arrivalNs.length);
  }

  protected batchable(): boolean {
    const { ct, traffic, cpu } = this;
    const { conns, lines, costs } = ct;
    const { index } = ct.lockLines[this.bucket]!;
    if (this.lists) {
      if (!lines.owns(index, cpu) || !lines.owns(ct.headLine.index, cpu) || this.lock.owner !== undefined) return false;
      if (!this.options.alone(4 * this.count * (costs.privateNs + 1000))) return false;
    } else if (!lines.has(index, cpu)) return false;
    const conn = (this.conn = this.find());
    if (conn < 0 || conns.tm[conn] !== traffic.tm || !ct.connLocks.canPass(conn)) return false;
    return lines.owns(conns.line[conn]!, cpu);
  }

  protected batched(packets: number): number {
    this.batchSumNs = 0;
    for (let i = 0; i < packets; i++) {
      const ns = this.lists ? this.packetBefore() : this.packetAfter();
      this.batchNs[i] = ns;
      this.batchSumNs += ns;
    }
    this.traffic.skip(packets - 1);
    return this.burst(At.Batched, this.batchSumNs);
  }

  /** Each packet took its share of the time; what a preemption took is the last one's. */
  protected endBatched(): number {
    const { latencyNs, paced } = this.options;
    const { nowNs } = this.ct.machine;
    const packets = this.count - this.index;
    const tookNs = nowNs - this.startNs;
    const slow = tookNs / this.batchSumNs;
    const even = slow < PREEMPTED;
    let atNs = this.startNs;
    for (let i = 0; i < packets; i++) {
      const ns = this.batchNs[i]! * (even ? slow : 1);
      const endNs = i === packets - 1 ? nowNs : atNs + ns;
      latencyNs.record(Math.round(endNs - (paced ? this.traffic.arrivalNs[this.index + i]! : atNs)));
      atNs = endNs;
    }
    this.packets += packets;
    this.index = this.count;
    this.at = At.Packet;
    return 0;
  }

  private packetBefore(): number {
    const { ct, conn } = this;
    const { costs, connLocks } = ct;
    connLocks.pass(conn);
    connLocks.pass(conn);
    this.section(costs.policySectionNs);
    connLocks.pass(conn);
    this.section(costs.moveSectionNs);
    this.move();
    connLocks.pass(conn);
    connLocks.pass(conn);
    const { lookupNs, pairNs, policySectionNs, gapNs, moveSectionNs } = costs;
    return this.privateNs() + lookupNs + 2 * pairNs + policySectionNs + gapNs + moveSectionNs;
  }

  private section(ns: number): void {
    const { ct } = this;
    invariant(this.lock.acquire() === 0, 'ct_lock: not alone');
    ct.connLocks.pass(this.conn);
    ct.watch.sectionNs = ns;
    this.lock.unlock();
  }

  private packetAfter(): number {
    const { ct, conn } = this;
    ct.connLocks.pass(conn);
    this.touchExpiration();
    ct.connLocks.pass(conn);
    return this.privateNs() + ct.costs.lookupNs + ct.costs.pairNs;
  }
}
