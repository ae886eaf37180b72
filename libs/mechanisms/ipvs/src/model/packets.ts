// Packets that the CPU of the old timer receives: each raises NET_RX softirq there and waits for whatever softirq runs. What
// does not fit into the ring is dropped.
import {
  type Cpu,
  type Machine,
  PARK,
  type RandomStream,
  SchedClass,
  type Task,
  type TaskBody,
} from '@kworkbench/machine';
import type { EstCosts } from './costs.js';
import type { Observer } from './observer.js';

export class Packets {
  private readonly arrivals: Float64Array;
  private head = 0;
  private waiting = 0;
  private readonly packetNs: number;
  private readonly meanNs: number;
  private readonly actor: number;
  private softirq!: Task;

  constructor(
    private readonly machine: Machine,
    private readonly cpu: Cpu,
    costs: EstCosts,
    private readonly observer: Observer,
    private readonly random: RandomStream,
    packetsPerSecond: number,
  ) {
    this.arrivals = new Float64Array(costs.of('packetRing'));
    this.packetNs = costs.of('packetNs');
    this.meanNs = 1e9 / packetsPerSecond;
    this.actor = machine.addActor(() => this.arrive());
  }

  start(): void {
    const { machine, cpu } = this;
    this.softirq = machine.spawn(`net_rx_softirq/${cpu.index}`, () => this.netRx(), {
      on: cpu,
      schedClass: SchedClass.Softirq,
      asleep: true,
    });
    machine.schedule(this.random.exponential(this.meanNs), this.actor, 0);
  }

  private arrive(): void {
    const { machine, arrivals } = this;
    if (this.waiting === arrivals.length) this.observer.packetsDropped++;
    else arrivals[(this.head + this.waiting++) % arrivals.length] = machine.nowNs;
    machine.wake(this.softirq);
    machine.schedule(this.random.exponential(this.meanNs), this.actor, 0);
  }

  private *netRx(): TaskBody {
    const { machine, arrivals, observer } = this;
    for (;;) {
      while (this.waiting > 0) {
        yield this.packetNs;
        if (machine.nowNs >= observer.warmupNs) observer.packetNs.record(machine.nowNs - arrivals[this.head]!);
        this.head = (this.head + 1) % arrivals.length;
        this.waiting--;
      }
      yield PARK;
    }
  }
}
