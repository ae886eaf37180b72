// A policy as a function: what a program of type SK_REUSEPORT gets to see, and what it answers.
export type MigPoint = 'syn' | 'close' | 'synackTimer' | 'finalAck';
export type MigratingState = 'ESTABLISHED' | 'SYN_RECV' | 'NEW_SYN_RECV';

export interface PolicyListener {
  readonly id: string;
  /** Slot among those that listen. */
  readonly index: number;
  readonly generation: number;
  readonly depth: number;
  readonly limit: number;
}

export interface PolicyContext {
  readonly point: MigPoint;
  readonly hash: number;
  /** Bytes of the packet; 0 at close and at the timer. */
  readonly len: number;
  readonly ethProtocol: number;
  readonly ipProtocol: number;
  readonly bindInany: boolean;
  readonly tuple: { readonly saddr: string; readonly sport: number; readonly daddr: string; readonly dport: number };
  /** A member of the group at a SYN; the closed listener when migrating. */
  readonly sk: {
    readonly id: string;
    readonly generation: number;
    readonly cookie: bigint;
    readonly opts: Readonly<Record<string, unknown>>;
  };
  readonly migrating: { readonly state: MigratingState; readonly cookie: bigint; readonly ageNs: number } | null;
  /** Those that listen in the group; the kernel has no such list. */
  readonly live: readonly PolicyListener[];
  /** Kept between calls, as a BPF map is. */
  readonly map: Map<string, number>;
  /** An unsigned 32-bit number, the same for every run of the cell (bpf_get_prandom_u32). */
  rng(): number;
}

export type Verdict = { readonly pass: true; readonly select?: string } | { readonly drop: true };

export type Policy = (context: PolicyContext) => Verdict;

/** A policy function of a library user, with what is known about its attachment. */
export interface AttachedPolicy {
  readonly decide: Policy;
  readonly attach: 'select' | 'selectOrMigrate';
  /** Reads of the context that one call may make; a call that needs more ends the cell. */
  readonly budget: number;
  /** Cost of a call in rules of 5 ns. */
  readonly rules: number;
}

export class PolicyBudgetExceeded extends Error {
  constructor(budget: number) {
    super(`the policy read its context more than ${budget} times in one call`);
    this.name = 'PolicyBudgetExceeded';
  }
}

/**
 * The context, counting every read, deep ones too. A loop that reads nothing is not seen: the time limit of the cell
 * ends it.
 */
export function metered(context: PolicyContext, budget: number): PolicyContext {
  let left = budget;
  const meter = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, key) {
        if (--left < 0) throw new PolicyBudgetExceeded(budget);
        const value: unknown = Reflect.get(object, key, object);
        if (typeof value === 'function') return value.bind(object) as unknown;
        return typeof value === 'object' && value !== null && !(value instanceof Map) ? meter(value) : value;
      },
    });
  return meter(context);
}
