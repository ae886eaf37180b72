// A program of type SK_REUSEPORT attached to the group: rules, or a function of a library user.
import type { RandomStream } from '@kworkbench/machine';
import type { Connection } from '../model/connection.js';
import { TcpState } from '../model/connection.js';
import type { Listener } from '../model/listener.js';
import type { SockReuseport } from '../model/sock-reuseport.js';
import type { AttachedPolicy, MigPoint, MigratingState, PolicyContext } from './policy.js';
import { metered } from './policy.js';

export interface Question {
  point: MigPoint;
  /** A member of the group at a SYN; the closed listener when migrating. */
  sk: Listener;
  group: SockReuseport<Listener>;
  connection: Connection;
  migrating: boolean;
  len: number;
  nowNs: number;
}

/** Refused. */
export const DROP = Symbol('drop');
/** undefined: it passed without a selection, or selected an empty slot, and the hash picks. */
export type Decision = Listener | typeof DROP | undefined;

export interface Program {
  readonly attach: 'select' | 'selectOrMigrate';
  /** Rules that the last run went through. */
  readonly rulesRun: number;
  run(question: Question): Decision;
}

export const stateName = (state: TcpState): MigratingState =>
  state === TcpState.Established ? 'ESTABLISHED' : state === TcpState.SynRecv ? 'SYN_RECV' : 'NEW_SYN_RECV';

const ETH_P_IP = 0x0800;
const IPPROTO_TCP = 6;
const SERVER = { daddr: '192.0.2.1', dport: 443 };
const FIRST_PORT = 1024;
const PORTS = 64_512;

/** A function of a library user as a program: every call sees a context of its own and has a budget of reads. */
export class FunctionProgram implements Program {
  readonly attach: 'select' | 'selectOrMigrate';
  readonly rulesRun: number;
  private readonly map = new Map<string, number>();

  constructor(
    private readonly policy: AttachedPolicy,
    private readonly random: RandomStream,
  ) {
    this.attach = policy.attach;
    this.rulesRun = policy.rules;
  }

  run(question: Question): Decision {
    const verdict = this.policy.decide(metered(this.contextOf(question), this.policy.budget));
    if ('drop' in verdict) return DROP;
    if (verdict.select === undefined) return undefined;
    return question.group.live().find(({ name }) => name === verdict.select);
  }

  private contextOf({ point, sk, group, connection, migrating, len, nowNs }: Question): PolicyContext {
    const port = FIRST_PORT + (connection.number % PORTS);
    return {
      point,
      hash: connection.hash,
      len,
      ethProtocol: ETH_P_IP,
      ipProtocol: IPPROTO_TCP,
      bindInany: false,
      tuple: { saddr: `198.51.100.${Math.floor(connection.number / PORTS) % 256}`, sport: port, ...SERVER },
      sk: { id: sk.name, generation: sk.generation, cookie: BigInt(sk.number + 1), opts: { ...sk.options } },
      migrating: migrating
        ? {
            state: stateName(connection.state),
            cookie: BigInt(connection.number + 1),
            ageNs: nowNs - connection.startNs,
          }
        : null,
      live: group.live().map((member, index) => ({
        id: member.name,
        index,
        generation: member.generation,
        depth: member.length,
        limit: member.options.limit,
      })),
      map: this.map,
      rng: () => this.random.uint32(),
    };
  }
}
