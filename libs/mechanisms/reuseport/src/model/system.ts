// One server on a host: its stack, its workers, their reloads, and the clients, wired together.
import { invariant, Lockdep, type Machine } from '@kworkbench/machine';
import type { Cell, Instance, Place as HostPlace } from '@kworkbench/mechanism';
import type { ReuseportKernel } from '../kernel.js';
import { programOf } from '../idea.js';
import type { AttachedPolicy } from '../policy/policy.js';
import { FunctionProgram, type Program } from '../policy/program.js';
import { DepthMap, RulesProgram } from '../policy/rules-program.js';
import { rulesOf } from '../policy/schema.js';
import type { ReuseportWorkload } from '../workloads.js';
import { Arrivals } from './arrivals.js';
import { Client } from './client.js';
import type { Connection } from './connection.js';
import { ReuseportCosts } from './costs.js';
import { ListenStop } from './listen-stop.js';
import { metricsOf } from './metrics-of.js';
import { NetRx } from './net-rx.js';
import { Outcome } from './outcomes.js';
import { Reload } from './reload.js';
import { ReuseportSelect } from './reuseport-select.js';
import { TcpInput } from './tcp-input.js';
import { TcpStack } from './tcp-stack.js';
import { closeRow, CLOSES, depthRow, DEPTHS, SAMPLE_PERIOD_NS, sampleRow, SAMPLES } from './telemetry.js';
import { verifyBooks, verifyGroup } from './verify.js';
import { Packet, Wire } from './wire.js';

export type ReuseportCell = Cell<ReuseportKernel, ReuseportWorkload>;

/** A handler that finds its queue full is tried again a tick later. */
const RETRY_NS = 4e6;

export class ReuseportSystem implements Instance {
  readonly cell: ReuseportCell;
  readonly machine: Machine;
  readonly stack: TcpStack;
  readonly select: ReuseportSelect;
  readonly listenStop: ListenStop;
  readonly reload: Reload;
  readonly wire: Wire;
  readonly client: Client;
  readonly lockdep: Lockdep;
  readonly samplePeriodNs = SAMPLE_PERIOD_NS;
  /** Sums over the looks after the closes of each reload. */
  depthMaxSum = 0;
  depthMeanSum = 0;
  closes = 0;
  closeNsSum = 0;
  private readonly rx: readonly NetRx[];
  private readonly arrivals: Arrivals;
  private readonly depths = new DepthMap();
  private readonly mapDelayNs: number | undefined;

  /** @param given by a library user, in place of the policy of the workload. */
  constructor(
    private readonly place: HostPlace,
    given?: AttachedPolicy,
  ) {
    const { machine } = place.host;
    const cell = place.cell as ReuseportCell;
    const { kernel, workload } = cell;
    this.cell = cell;
    this.machine = machine;
    const costs = new ReuseportCosts(cell.machine.constants, workload.rtt === 0);
    this.lockdep = new Lockdep(machine, { instances: true });
    this.stack = new TcpStack(
      machine,
      kernel,
      workload,
      costs,
      {
        synackExpired: (connection) => this.synackExpired(connection),
        clientExpired: (connection) => client.expired(connection),
        patienceExpired: (connection) => client.patienceExpired(connection),
      },
      this.lockdep,
      () => this.changed(),
    );
    const policy = given ?? programOf(kernel);
    const rules = policy === undefined ? rulesOf(workload.policy) : undefined;
    this.mapDelayNs = rules?.kernelStrict === true ? Math.max(1000, Math.round(rules.mapDelay * 1e9)) : undefined;
    const random = place.random('policy');
    let program: Program | undefined;
    if (policy !== undefined) program = new FunctionProgram(policy, random);
    else if (rules !== undefined) program = new RulesProgram(rules, random, this.depths);
    this.select = new ReuseportSelect(this.stack, program, place.random('reuseport_select_sock'));
    const input = new TcpInput(machine, this.stack, this.select);
    const client = new Client(machine, this.stack);
    this.client = client;
    const secrets = place.random('secrets');
    const secret = secrets.uint32();
    this.wire = new Wire(machine, this.stack, secrets.uint32(), {
      receive: (connection, packet) => this.rx[connection.cpu]!.receive(connection, packet),
      synackReceived: (connection) => client.synackReceived(connection),
      stalled: (connection) => input.timer.stalled(connection),
    });
    input.wire = this.wire;
    input.timer.clientStalled = (connection) => client.stalled(connection);
    client.wire = this.wire;
    this.rx = machine.cpus.map(({ index }) => new NetRx(machine, this.stack, input, index));
    this.arrivals = new Arrivals(machine, workload, client, place.random('arrivals'), secret);
    this.listenStop = new ListenStop(machine, this.stack, this.select, (record) => {
      this.closes++;
      this.closeNsSum += record.endNs - record.startNs;
      place.row(CLOSES, closeRow(record));
    });
    this.reload = new Reload(machine, this.stack, workload, this.arrivals, this.listenStop, {
      closed: () => this.closed(),
      ended: () => this.changed(),
    });
  }

  start(): void {
    this.reload.start();
    const { mapDelayNs, machine } = this;
    if (mapDelayNs === undefined) return;
    const actor = machine.addActor(() => {
      this.depths.update(this.stack.group.live());
      machine.schedule(mapDelayNs, actor, 0);
    });
    machine.schedule(0, actor, 0);
  }

  get finished(): boolean {
    return this.reload.ended && this.arrivals.ended && this.stack.outcomes.open === this.asleep;
  }

  get outstanding(): number {
    return this.reload.ended && this.arrivals.ended ? this.stack.outcomes.open : NaN;
  }

  sample(timeNs: number): void {
    this.place.row(SAMPLES, sampleRow(this, timeNs));
  }

  end(): ReturnType<Instance['end']> {
    const { stack } = this;
    verifyBooks(stack);
    verifyGroup(stack.group);
    for (const sk of stack.listeners) stack.noticed(sk);
    const { started, accepted, lost, open } = stack.outcomes;
    invariant(started === accepted + lost + open && open === this.asleepAtEnd, 'I4: connections are unaccounted for');
    const { rskq, fastopen, global } = stack.holds;
    const holdMaxNs = Math.max(rskq.maxNs, fastopen.maxNs, global.maxNs);
    return {
      metrics: metricsOf(this, holdMaxNs),
      histograms: [stack.connectNs.snapshot(), stack.acceptNs.snapshot()],
    };
  }

  private asleepAtEnd = 0;

  /** Connections that only another connection would bring to a worker's notice (M0). */
  private get asleep(): number {
    if (this.stack.kernel.wakeTarget) return 0;
    let asleep = 0;
    for (const sk of this.stack.listeners) {
      const workers = this.reload.workersOf(sk).length;
      if (sk.unannouncedNs < 0 || sk.waiters.length < workers) continue;
      for (let at = sk.head; at !== undefined; at = at.next) if (at.outcome === Outcome.Open) asleep++;
    }
    this.asleepAtEnd = asleep;
    return asleep;
  }

  private changed(): void {
    if (this.reload.ended) this.place.finished();
  }

  private closed(): void {
    verifyBooks(this.stack);
    verifyGroup(this.stack.group);
    let max = 0;
    let sum = 0;
    let count = 0;
    for (const sk of this.stack.listeners) {
      if (!sk.listening) continue;
      this.place.row(DEPTHS, depthRow(sk, this.machine.nowNs));
      max = Math.max(max, sk.length);
      sum += sk.length;
      count++;
    }
    if (count === 0) return;
    this.depthMaxSum += max;
    this.depthMeanSum += sum / count;
  }

  private synackExpired(connection: Connection): void {
    this.stack.hold(connection);
    connection.timerFired = true;
    if (this.rx[connection.cpu]!.receive(connection, Packet.Timer)) return;
    connection.timerFired = false;
    connection.synackTimer.start(RETRY_NS);
    this.stack.put(connection);
  }
}
