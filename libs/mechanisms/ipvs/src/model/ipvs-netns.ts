// One network namespace: its rules (services and destinations), its total, and the estimation of all of them. Adding and
// deleting a rule is one netlink command each, under the config mutex.
import type { RandomStream, TaskBody } from '@kworkbench/machine';
import type { IpvsWorkload } from '../workloads.js';
import { EstKthreads } from './est-kthreads.js';
import type { Estimation, EstParts } from './est-parts.js';
import { EstState } from './estimators.js';
import { EstTimer } from './est-timer.js';
import type { Traffic } from './traffic.js';

/** Rates are drawn in steps of a thousandth of a packet per second. */
const RATE_STEPS = 1000;

export class IpvsNetns {
  readonly estimation: Estimation;
  /** The estimator of the total, and its mark in the traffic. */
  readonly total: number;
  /** Estimators of all rules, oldest first but for what churn moved. */
  readonly rules: number[] = [];
  private readonly mark: number;
  private enabled = false;
  gone = false;

  constructor(
    readonly parts: EstParts,
    private readonly traffic: Traffic,
    private readonly workload: IpvsWorkload,
    private readonly random: RandomStream,
    readonly index: number,
  ) {
    const { estimators, memory, machine, kernel } = parts;
    this.mark = traffic.addTotal();
    this.total = estimators.alloc(machine.nowNs, this.mark);
    memory.addEstimator();
    if (kernel.estimation === 'timer') {
      this.estimation = new EstTimer(parts, index);
    } else {
      const kthreads = new EstKthreads(parts, index);
      kthreads.total = this.total;
      this.estimation = kthreads;
    }
  }

  /** ip_vs_control_net_init(): the total is there before any service. */
  init(): TaskBody {
    return this.estimation.start(this.total);
  }

  /** Packets per second of a new rule. */
  drawRate(): number {
    const { packetsPerSecond, idleRatio } = this.workload;
    if (packetsPerSecond === 0 || this.random.chance(idleRatio)) return 0;
    return this.random.exponential(packetsPerSecond * RATE_STEPS) / RATE_STEPS;
  }

  /** One rule; the caller holds the config mutex. `counted` says whether its packets are not part of another rule's. */
  *addRule(packetsPerSecond: number, counted: boolean): TaskBody {
    const { estimators, memory, machine } = this.parts;
    const est = estimators.alloc(machine.nowNs, packetsPerSecond);
    memory.addEstimator();
    if (counted) {
      estimators.counted[est] = 1;
      this.traffic.change(this.mark, packetsPerSecond, machine.nowNs);
    }
    yield* this.estimation.start(est);
    this.rules.push(est);
    if (this.enabled) return;
    this.enabled = true;
    this.estimation.enable();
  }

  /** Takes the rule at this place away; the caller holds the config mutex. */
  *deleteRule(place: number): TaskBody {
    const est = this.rules[place]!;
    this.rules[place] = this.rules[this.rules.length - 1]!;
    this.rules.pop();
    const { estimators, machine } = this.parts;
    if (estimators.counted[est] === 1)
      this.traffic.change(this.mark, -estimators.packetsPerSecond[est]!, machine.nowNs);
    yield* this.stop(est);
  }

  /** The namespace goes: its packets first, its services a while later, its total last. */
  *teardown(): TaskBody {
    const { machine, configMutex, costs } = this.parts;
    this.gone = true;
    this.estimation.disable();
    yield machine.sleep(costs.of('cleanupPhaseNs'));
    yield* configMutex.lock();
    while (this.rules.length > 0) {
      const est = this.rules.pop()!;
      yield costs.netlinkNs;
      yield* this.stop(est);
    }
    configMutex.unlock();
    yield* this.stop(this.total);
    yield* this.estimation.cleanup();
  }

  private *stop(est: number): TaskBody {
    const { estimators, memory, rcu, machine } = this.parts;
    if (estimators.state[est] !== EstState.Unhashed) yield* this.estimation.stop(est);
    estimators.state[est] = EstState.Stopped;
    rcu.callRcu(machine.current.cpu, 1, rcu.callbackNs, () => {
      estimators.release(est);
      memory.freeEstimator();
    });
  }
}
