// A packet thread (PMD): takes what has arrived, up to a batch, and sends each packet through conntrack. A state machine
// without allocation, as the benchmark wants tens of millions of packets.
import { DONE, invariant, SPIN, type Task } from '@kworkbench/machine';
import { PacketBatch } from './packet-batch.js';
import { At, type PacketThreadOptions } from './packet-steps.js';

export class PacketThread extends PacketBatch {
  /** Time from its first packet to its last. */
  busyNs = 0;
  private readonly rcuThread: number;
  private readonly waker: number;
  private task!: Task;

  constructor(options: PacketThreadOptions) {
    super(options);
    const { ct } = options;
    this.rcuThread = ct.rcu.register();
    this.waker = ct.machine.addActor(() => ct.machine.scheduler.endSpin(this.task));
  }

  protected step(): number {
    this.cpu = this.ct.machine.current.cpu.index;
    for (;;) {
      const ns = this.go();
      if (ns !== 0) return ns;
    }
  }

  /** One state, and those that follow at the same instant: what to yield, or 0. */
  private go(): number {
    switch (this.at) {
      case At.Batch:
        return this.nextBatch();
      case At.Arrived:
        return this.arrived();
      case At.Packet:
        return this.nextPacket();
      case At.Batched:
        return this.endBatched();
      case At.Lookup:
        return this.lookup();
      case At.Test:
        return this.test();
      case At.State:
        return this.protocolState();
      case At.PolicyLock:
        return this.acquire(At.PolicyHold) || this.policy();
      case At.PolicyHold:
        return this.policy();
      case At.PolicyEnd:
        return this.policyEnd();
      case At.Log:
        return this.log();
      case At.MoveLock:
        return this.acquire(At.MoveHold) || this.moveHold();
      case At.MoveHold:
        return this.moveHold();
      case At.MoveEnd:
        return this.moveEnd() || this.endPacket();
      case At.Caller:
        return this.touch(At.Metadata);
      case At.Miss:
        return this.miss();
      case At.CreateLock:
        return this.acquire(At.Create) || this.createUnderLock();
      case At.TableLock:
        return this.acquire(At.Create) || this.insertAgain();
      case At.Refused:
        return this.refused();
      case At.Create:
        return this.create();
      case At.QueueInsert:
        return this.queueInsert();
      case At.QueueLink:
        return this.queueLink();
      case At.Metadata:
        return this.touch(At.End) || this.endPacket();
      case At.End:
        return this.endPacket();
    }
  }

  private nextBatch(): number {
    const { ct, traffic } = this;
    const { rcu, machine } = ct;
    invariant(this.lock.owner !== machine.current, 'P5: a packet thread ends its batch with ct_lock');
    rcu.quiesce(this.rcuThread);
    if (traffic.over) {
      rcu.sleep(this.rcuThread);
      this.busyNs = machine.nowNs;
      this.options.ended();
      return DONE;
    }
    this.at = At.Arrived;
    const waitNs = traffic.nextArrivalNs - machine.nowNs;
    if (waitNs <= 0) return 0;
    // It polls its queues, without a pointer to anything.
    rcu.sleep(this.rcuThread);
    this.task = machine.current;
    machine.schedule(waitNs, this.waker, 0);
    return SPIN;
  }

  private arrived(): number {
    const { ct } = this;
    ct.rcu.wake(this.rcuThread);
    this.count = this.traffic.take(ct.machine.nowNs);
    this.index = 0;
    this.at = At.Packet;
    return 0;
  }

  private nextPacket(): number {
    if (this.index === this.count) {
      this.at = At.Batch;
      return 0;
    }
    const { ct, traffic } = this;
    traffic.pick();
    this.startNs = ct.machine.nowNs;
    this.bucket = ct.bucketOf(traffic.key, traffic.zone);
    this.lock = ct.locks[this.bucket]!;
    if (traffic.uniform && this.batchable()) return this.batched(this.count - this.index);
    return this.burst(At.Lookup, this.privateNs());
  }

  private endPacket(): number {
    const fromNs = this.options.paced ? this.traffic.arrivalNs[this.index]! : this.startNs;
    this.options.latencyNs.record(Math.round(this.ct.machine.nowNs - fromNs));
    this.packets++;
    this.index++;
    this.at = At.Packet;
    return this.nextPacket();
  }
}
