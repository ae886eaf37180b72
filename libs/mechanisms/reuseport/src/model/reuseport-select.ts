// Who gets a connection: reuseport_select_sock() for a SYN, reuseport_migrate_sock() for a request whose listener closed.
import type { RandomStream } from '@kworkbench/machine';
import { DROP, type Program, type Question } from '../policy/program.js';
import type { MigPoint } from '../policy/policy.js';
import type { Connection } from './connection.js';
import { reciprocalScale } from './hash.js';
import type { Listener } from './listener.js';
import { Outcome } from './outcomes.js';
import type { SockReuseport } from './sock-reuseport.js';
import { Point, type TcpStack } from './tcp-stack.js';

type Group = SockReuseport<Listener>;

const POINT_NAMES: readonly MigPoint[] = ['close', 'synackTimer', 'finalAck'];

export class ReuseportSelect {
  /** What the program cost in the last call. */
  programNs = 0;

  constructor(
    private readonly stack: TcpStack,
    private readonly program: Program | undefined,
    private readonly random: RandomStream,
  ) {}

  /** Whether a listener of the group that closes now keeps its place for migrations. */
  get capable(): boolean {
    const { select, inflight } = this.stack.kernel;
    return (select !== 'none' || inflight !== 'none') && this.allowed;
  }

  /** The guard at this moment: reuseport_migrate_sock() looks at the sysctl for each request again. */
  private get allowed(): boolean {
    const { guard } = this.stack.kernel;
    if (guard === 'always') return this.program === undefined;
    return this.stack.migrateReq === 1 || (guard === 'sysctlOrProg' && this.programMigrates);
  }

  /** The listener of a new connection; undefined when a program refuses it. The group has a live member. */
  forSyn(group: Group, connection: Connection, len: number): Listener | undefined {
    this.programNs = 0;
    const byHash = this.byHash(group, connection);
    if (this.program === undefined) return byHash;
    const decision = this.ask(group, group.socks[0]!, connection, 'syn', false, len);
    return decision === DROP ? undefined : (decision ?? byHash);
  }

  /** The target of a request of `sk`, which has closed; undefined when there is none. */
  migrate(sk: Listener, connection: Connection, point: Point, len: number): Listener | undefined {
    this.programNs = 0;
    const group = sk.reuseportCb;
    if (group === undefined) return undefined;
    const target = this.targetIn(group, sk, connection, point, len);
    if (target === undefined) this.stack.mib.migrateFailure[point]!++;
    return target;
  }

  /** Seed patch: the whole queue goes to one socket, picked inside detach, after `slot` was filled again. */
  atUnhash(group: Group, sk: Listener, slot: number): Listener | undefined {
    if (group.numSocks === 0) return undefined;
    if (this.stack.kernel.select === 'movedSlot') return group.socks[Math.min(slot, group.numSocks - 1)];
    const first = sk.head;
    return first === undefined ? undefined : this.byRule(this.stack.kernel.select, group, sk, first);
  }

  private get programMigrates(): boolean {
    return this.program !== undefined && this.program.attach === 'selectOrMigrate';
  }

  private targetIn(
    group: Group,
    sk: Listener,
    connection: Connection,
    point: Point,
    len: number,
  ): Listener | undefined {
    const { kernel } = this.stack;
    if (group.numSocks === 0) {
      // A listener that came after the last one closed is in another group: out of reach.
      if (this.stack.group !== group && this.stack.group.numSocks > 0) connection.refusedFor = Outcome.NewGroup;
      return undefined;
    }
    if (!this.allowed) return undefined;
    const rule = point === Point.Close ? kernel.select : kernel.inflight;
    if (rule === 'policy' && this.programMigrates) {
      const decision = this.ask(group, sk, connection, POINT_NAMES[point]!, true, len);
      if (decision === DROP) {
        connection.refusedFor = Outcome.PolicyDrop;
        return undefined;
      }
      if (decision !== undefined) return decision;
    }
    const target = this.byRule(rule, group, sk, connection);
    if (point !== Point.Close || !kernel.checkBacklogAtClose || target === undefined) return target;
    return this.withRoom(group, target);
  }

  private byRule(rule: string, group: Group, sk: Listener, connection: Connection): Listener | undefined {
    switch (rule) {
      case 'none':
        return undefined;
      case 'movedSlot':
        return group.socks[Math.min(sk.leftSlot, group.numSocks - 1)];
      case 'random':
        return group.socks[this.random.below(group.numSocks)];
      case 'leastLoaded':
        return this.leastLoaded(group);
      default:
        return group.socks[reciprocalScale(connection.hash, group.numSocks)];
    }
  }

  /** Those that drain get no SYNs: what user space does with a program of its own. */
  private byHash(group: Group, connection: Connection): Listener {
    const { socks, numSocks } = group;
    if (this.stack.kernel.reload !== 'drain') return socks[reciprocalScale(connection.hash, numSocks)]!;
    let routed = 0;
    for (let i = 0; i < numSocks; i++) if (!socks[i]!.draining) routed++;
    if (routed === numSocks || routed === 0) return socks[reciprocalScale(connection.hash, numSocks)]!;
    let left = reciprocalScale(connection.hash, routed);
    for (let i = 0; ; i++) if (!socks[i]!.draining && left-- === 0) return socks[i]!;
  }

  private leastLoaded({ socks, numSocks }: Group): Listener {
    let least = socks[0]!;
    for (let i = 1; i < numSocks; i++) if (socks[i]!.length < least.length) least = socks[i]!;
    return least;
  }

  /** What-if: the next one in the array whose queue is not full. */
  private withRoom({ socks, numSocks }: Group, target: Listener): Listener | undefined {
    const from = socks.indexOf(target);
    for (let i = 0; i < numSocks; i++) {
      const candidate = socks[(from + i) % numSocks]!;
      if (!candidate.full) return candidate;
    }
    return undefined;
  }

  private ask(group: Group, sk: Listener, connection: Connection, point: MigPoint, migrating: boolean, len: number) {
    const { costs, machine } = this.stack;
    const question: Question = { point, sk, group, connection, migrating, len, nowNs: machine.nowNs };
    const decision = this.program!.run(question);
    this.programNs = costs.programNs + costs.programRuleNs * this.program!.rulesRun;
    return decision;
  }
}
