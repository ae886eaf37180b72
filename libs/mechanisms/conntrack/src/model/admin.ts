// What the main thread of ovs-vswitchd does to conntrack: zone limits, timeout policies, a flush.
import { type RandomStream, type TaskBody } from '@kworkbench/machine';
import type { ConntrackWorkload } from '../workloads.js';
import { ConnState } from './conns.js';
import type { Conntrack } from './conntrack.js';

/** Policies are replaced by ones of 1 to this many seconds. */
const MAX_POLICY_S = 30;
/** Connections of a flush that are looked at in one burst. */
const CHUNK = 64;

export interface AdminOptions {
  readonly ct: Conntrack;
  readonly workload: ConntrackWorkload;
  readonly random: RandomStream;
}

export class Admin {
  operations = 0;
  flushNs = 0;
  private readonly rcuThread: number;

  constructor(private readonly options: AdminOptions) {
    this.rcuThread = options.ct.rcu.register();
  }

  /** Whether the workload has anything for it to do. */
  static needed({ kind }: ConntrackWorkload): boolean {
    return kind === 'zones' || kind === 'policies' || kind === 'flush';
  }

  *run(): TaskBody {
    const { ct, workload, random } = this.options;
    const { machine } = ct;
    if (workload.kind === 'flush') {
      yield machine.sleep(workload.flushAt * 1e9);
      ct.rcu.wake(this.rcuThread);
      yield* this.flush();
      ct.rcu.sleep(this.rcuThread);
      return;
    }
    const endNs = workload.duration * 1e9;
    const gapNs = 1e9 / workload.adminRate;
    for (;;) {
      const waitNs = random.exponential(gapNs);
      if (machine.nowNs + waitNs >= endNs) return;
      yield machine.sleep(waitNs);
      ct.rcu.wake(this.rcuThread);
      const zone = random.below(workload.zones);
      if (workload.kind === 'zones') yield* this.zoneOperation(zone);
      else yield* this.replacePolicy(zone, 1 + random.below(MAX_POLICY_S));
      ct.rcu.sleep(this.rcuThread);
      this.operations++;
    }
  }

  /** In turn: get, set, and del with a set after it. */
  private *zoneOperation(zone: number): TaskBody {
    const { ct } = this.options;
    const limit = ct.zoneLimit[zone]!;
    const turn = this.operations % 3;
    // Before the series readers take the lock as well.
    if (turn === 0 && ct.kernel.expiration !== 'lists') {
      yield ct.costs.adminNs;
      return;
    }
    yield* this.locked(() => {
      if (turn === 2) ct.zoneLimit[zone] = 2 ** 31 - 1;
    });
    if (turn === 2) yield* this.locked(() => (ct.zoneLimit[zone] = limit));
  }

  private *replacePolicy(zone: number, seconds: number): TaskBody {
    const { ct } = this.options;
    const { costs, policies } = ct;
    const lock = ct.locks[0]!;
    yield* lock.lock();
    // Readers without the lock find nothing between the removal and the insert.
    if (ct.kernel.expiration !== 'lists') policies.takeAway(zone);
    yield costs.adminNs;
    policies.set(zone, seconds);
    const ns = lock.unlock();
    if (ns > 0) yield ns;
  }

  private *locked(act: () => void): TaskBody {
    const { ct } = this.options;
    const lock = ct.locks[0]!;
    yield* lock.lock();
    yield ct.costs.adminNs;
    act();
    const ns = lock.unlock();
    if (ns > 0) yield ns;
  }

  /** conntrack_flush(): before, ct_lock is held across the walk; after, a removal takes its locks for itself. */
  private *flush(): TaskBody {
    const { ct } = this.options;
    const { conns, costs, machine } = ct;
    const startNs = machine.nowNs;
    const before = ct.kernel.expiration === 'lists';
    if (before) yield* ct.locks[0]!.lock();
    const found = liveConns(ct);
    for (let i = 0; i < found.length; i++) {
      const conn = found[i]!;
      if (i % CHUNK === 0) yield CHUNK * costs.sweepVisitNs;
      if (!conns.isLive(conn)) continue;
      const lock = ct.locks[ct.bucketOf(conns.key[conn]!, conns.zone[conn]!)]!;
      yield* ct.connLocks.enter(conn).lock();
      if (!before) yield* lock.lock();
      yield costs.cleanNs;
      if (conns.isLive(conn)) ct.clean(conn);
      const ns = (before ? 0 : lock.unlock()) + ct.connLocks.leave(conn);
      if (ns > 0) yield ns;
    }
    if (before) {
      const ns = ct.locks[0]!.unlock();
      if (ns > 0) yield ns;
    }
    this.flushNs = machine.nowNs - startNs;
  }
}

function liveConns(ct: Conntrack): number[] {
  const found: number[] = [];
  for (let conn = ct.queues.length; conn < ct.conns.slots; conn++) {
    if (ct.conns.state[conn] === ConnState.Live) found.push(conn);
  }
  return found;
}
