// Costs of a cell, in ns, from the constants of its profile.
import { reuseportConstants } from '../constants.js';

export type Costs = Readonly<Record<string, number>>;

export class ReuseportCosts {
  readonly pickNs: number;
  readonly synNs: number;
  readonly ackNs: number;
  readonly strayNs: number;
  readonly synackTimerNs: number;
  readonly acceptNs: number;
  readonly listenNs: number;
  readonly closeNs: number;
  readonly setStateNs: number;
  readonly queueLockNs: number;
  readonly queueLockContendedNs: number;
  readonly cloneNs: number;
  readonly otherTargetNs: number;
  readonly programNs: number;
  readonly programRuleNs: number;
  readonly spliceNs: number;
  readonly rewriteListenerNs: number;
  readonly netdevMaxBacklog: number;

  constructor(
    private readonly constants: Costs,
    /** Clients are on this machine: the closer runs their receive path inline. */
    private readonly loopback: boolean,
  ) {
    for (const { name } of reuseportConstants) if (!(name in constants)) throw new TypeError(`no constant ${name}`);
    const of = (name: string): number => constants[name]!;
    this.pickNs = of('pickNs');
    this.synNs = of('synNs');
    this.ackNs = of('ackNs');
    this.strayNs = of('strayNs');
    this.synackTimerNs = of('synackTimerNs');
    this.acceptNs = of('acceptNs');
    this.listenNs = of('listenNs');
    this.closeNs = of('closeNs');
    this.setStateNs = of('setStateNs');
    this.queueLockNs = of('queueLockNs');
    this.queueLockContendedNs = of('queueLockContendedNs');
    this.cloneNs = of('cloneNs');
    this.otherTargetNs = of('otherTargetNs');
    this.programNs = of('programNs');
    this.programRuleNs = of('programRuleNs');
    this.spliceNs = of('spliceNs');
    this.rewriteListenerNs = of('rewriteListenerNs');
    this.netdevMaxBacklog = of('netdevMaxBacklog');
  }

  detachNs(slotsScanned: number): number {
    return this.constants['detachNs']! + this.constants['detachPerSlotNs']! * slotsScanned;
  }

  /** One request moved from a queue that was `depth` long, without the two lock sections. */
  migrateNs(depth: number): number {
    const { constants } = this;
    const missesNs = this.missesNs(depth, constants['migrateL2MissNs']!, constants['migrateLlcMissNs']!);
    return Math.max(0, constants['migrateNs']! + missesNs - 2 * this.queueLockNs);
  }

  /** One child aborted, from a queue that was `depth` long. */
  resetNs(depth: number): number {
    const { constants } = this;
    const peerNs = this.loopback ? constants['resetPeerNs']! : 0;
    return (
      constants['resetNs']! + peerNs + this.missesNs(depth, constants['resetL2MissNs']!, constants['resetLlcMissNs']!)
    );
  }

  /** A queue that is walked from its head was last touched in the same order: what is beyond a cache has left it. */
  private missesNs(depth: number, l2MissNs: number, llcMissNs: number): number {
    const bytes = depth * this.constants['connectionBytes']!;
    const beyond = (cacheBytes: number): number => (bytes > cacheBytes ? 1 - cacheBytes / bytes : 0);
    return beyond(this.constants['l2Bytes']!) * l2MissNs + beyond(this.constants['llcBytes']!) * llcMissNs;
  }
}
