// Many producers, one consumer, without locks: lib/mpsc-queue.c of Open vSwitch (Vyukov's intrusive queue).
//
// An insert has two steps: the node becomes the head (xchg), then the one before it points to the node. Between them every
// later node is hidden from the consumer, which sees RETRY. Serializable, not linearizable: a node whose insert has ended
// may be hidden by another's that has not.
//
// A step is one access to memory that another thread may change, for producers and for the consumer; what is explored in
// the spec are the interleavings of these.
//
// Nodes are small integers; `next` belongs to whoever has the nodes and is shared by all queues, for a node is in one at a
// time. Each queue has a stub node of its own.
import { invariant } from '@kworkbench/machine';

export const MPSC_EMPTY = -1;
export const MPSC_RETRY = -2;
/** The poll has steps to go. */
export const MPSC_GO_ON = -3;
const NULL = -1;

/** Steps of a poll: the link of the tail, the head, the two steps of the stub's insert, the link again. */
const enum At {
  Next,
  Head,
  Stub,
  Link,
  Again,
}

export interface NextOf {
  next: Int32Array;
}

export class MpscQueue {
  /** Where producers add, and where the consumer takes. */
  private head: number;
  private tail: number;
  private at: At = At.Next;
  private beforeStub = NULL;
  /** Inserts that are between their two steps. */
  inserting = 0;
  /** Nodes whose insert has begun and that were not taken. */
  length = 0;
  retries = 0;

  constructor(
    private readonly nodes: NextOf,
    readonly stub: number,
  ) {
    nodes.next[stub] = NULL;
    this.head = stub;
    this.tail = stub;
  }

  /** The xchg. @returns what {@link insertEnd} needs. */
  insertBegin(node: number): number {
    this.inserting++;
    this.length++;
    return this.exchange(node);
  }

  insertEnd(previous: number, node: number): void {
    invariant(this.inserting > 0, 'mpsc: an insert ends that did not begin');
    this.inserting--;
    this.nodes.next[previous] = node;
  }

  insert(node: number): void {
    this.insertEnd(this.insertBegin(node), node);
  }

  /** By the consumer. @returns a node, MPSC_EMPTY, or MPSC_RETRY when an insert is under way. */
  poll(): number {
    for (;;) {
      const result = this.pollStep();
      if (result !== MPSC_GO_ON) return result;
    }
  }

  /** One step of a poll. @returns MPSC_GO_ON, or what {@link poll} does. */
  pollStep(): number {
    const { next } = this.nodes;
    switch (this.at) {
      case At.Next:
        return this.look(next[this.tail]!);
      case At.Head:
        if (this.head !== this.tail) return this.end(MPSC_RETRY);
        return this.goOn(At.Stub);
      case At.Stub:
        this.beforeStub = this.exchange(this.stub);
        return this.goOn(At.Link);
      case At.Link:
        next[this.beforeStub] = this.stub;
        return this.goOn(At.Again);
      case At.Again: {
        const following = next[this.tail]!;
        // Somebody came between the look at the head and the stub, and has not linked: looks empty, though it is not.
        return following === NULL ? this.end(MPSC_EMPTY) : this.take(following);
      }
    }
  }

  /** By the consumer: puts a node back in front. */
  pushFront(node: number): void {
    this.length++;
    this.nodes.next[node] = this.tail;
    this.tail = node;
  }

  private exchange(node: number): number {
    this.nodes.next[node] = NULL;
    const previous = this.head;
    this.head = node;
    return previous;
  }

  private look(following: number): number {
    if (this.tail === this.stub) {
      // As in the original: while the first insert into an empty queue is under way, it looks empty, not busy.
      if (following === NULL) return this.end(MPSC_EMPTY);
      this.tail = following;
      return MPSC_GO_ON;
    }
    return following === NULL ? this.goOn(At.Head) : this.take(following);
  }

  private take(following: number): number {
    const node = this.tail;
    this.tail = following;
    this.length--;
    return this.end(node);
  }

  private goOn(at: At): number {
    this.at = at;
    return MPSC_GO_ON;
  }

  private end(result: number): number {
    this.at = At.Next;
    if (result === MPSC_RETRY) this.retries++;
    return result;
  }
}
