// The receive softirq of a CPU: takes packets one by one, and puts children into accept queues under their lock.
import { type Machine, PARK, Routine, SchedClass, type Task } from '@kworkbench/machine';
import type { Connection } from './connection.js';
import type { Listener } from './listener.js';
import type { PacketWork, TcpInput } from './tcp-input.js';
import type { TcpStack } from './tcp-stack.js';
import { type Packet, packed, packetOf, slotOf } from './wire.js';

const enum Stage {
  Idle,
  Work,
  Lock,
  Add,
}

/** A ring of packed packets, as long as netdev_max_backlog lets it get. */
class Ring {
  length = 0;
  private readonly words: Int32Array;
  private head = 0;

  constructor(capacity: number) {
    this.words = new Int32Array(capacity);
  }

  push(word: number): boolean {
    if (this.length === this.words.length) return false;
    this.words[(this.head + this.length++) % this.words.length] = word;
    return true;
  }

  shift(): number {
    const word = this.words[this.head]!;
    this.head = (this.head + 1) % this.words.length;
    this.length--;
    return word;
  }
}

export class NetRx extends Routine implements PacketWork {
  connection!: Connection;
  packet!: Packet;
  target: Listener | undefined;
  migrated = false;
  private readonly ring: Ring;
  private readonly task: Task;
  private stage = Stage.Idle;
  private asleep = true;
  private contended = false;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
    private readonly input: TcpInput,
    cpu: number,
  ) {
    super();
    this.ring = new Ring(stack.costs.netdevMaxBacklog);
    this.task = machine.spawn(`net_rx/${cpu}`, () => this, {
      on: machine.cpus[cpu]!,
      schedClass: SchedClass.Softirq,
      asleep: true,
    });
  }

  /** False when the queue is full. The packet keeps its hold on the connection. */
  receive(connection: Connection, packet: Packet): boolean {
    if (!this.ring.push(packed(connection, packet))) {
      this.stack.mib.backlogDrops++;
      return false;
    }
    if (this.asleep) {
      this.asleep = false;
      this.machine.wake(this.task);
    }
    return true;
  }

  protected step(): number {
    for (;;) {
      switch (this.stage) {
        case Stage.Idle: {
          if (this.ring.length === 0) {
            this.asleep = true;
            return PARK;
          }
          const word = this.ring.shift();
          this.connection = this.stack.pool.all[slotOf(word)]!;
          this.packet = packetOf(word);
          this.stage = Stage.Work;
          return this.input.begin(this);
        }
        case Stage.Work:
          this.target = this.input.act(this);
          this.contended = false;
          if (this.target === undefined) this.done();
          else this.stage = Stage.Lock;
          break;
        case Stage.Lock: {
          const wait = this.target!.rskqLock.acquire();
          if (wait !== 0) {
            this.contended = true;
            return wait;
          }
          this.stage = Stage.Add;
          const { costs } = this.stack;
          return costs.queueLockNs + (this.contended ? costs.queueLockContendedNs : 0);
        }
        case Stage.Add: {
          const target = this.target!;
          const added = this.input.add(this);
          target.rskqLock.unlock();
          if (added) this.stack.dataReady(target);
          this.done();
        }
      }
    }
  }

  private done(): void {
    this.stage = Stage.Idle;
    this.stack.put(this.connection);
  }
}
