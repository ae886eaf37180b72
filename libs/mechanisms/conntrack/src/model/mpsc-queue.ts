// Many producers, one consumer, without locks: lib/mpsc-queue.c of Open vSwitch (Vyukov's intrusive queue).
//
// An insert has two steps: the node becomes the head (xchg), then the one before it points to the node. Between them every
// later node is hidden from the consumer, which sees RETRY. Serializable, not linearizable: a node whose insert has ended
// may be hidden by another's that has not.
//
// Nodes are small integers; `next` belongs to whoever has the nodes and is shared by all queues, for a node is in one at a
// time. Each queue has a stub node of its own.
import { invariant } from '@kworkbench/machine';

export const MPSC_EMPTY = -1;
export const MPSC_RETRY = -2;
const NULL = -1;

export interface NextOf {
  next: Int32Array;
}

export class MpscQueue {
  /** Where producers add, and where the consumer takes. */
  private head: number;
  private tail: number;
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
    const { next } = this.nodes;
    let tail = this.tail;
    let following = next[tail]!;
    if (tail === this.stub) {
      // As in the original: while the first insert into an empty queue is under way, it looks empty, not busy.
      if (following === NULL) return MPSC_EMPTY;
      this.tail = tail = following;
      following = next[tail]!;
    }
    if (following !== NULL) return this.take(tail, following);
    if (this.head !== tail) return this.retry();
    const previous = this.exchange(this.stub);
    next[previous] = this.stub;
    following = next[tail]!;
    return following === NULL ? MPSC_EMPTY : this.take(tail, following);
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

  private take(node: number, following: number): number {
    this.tail = following;
    this.length--;
    return node;
  }

  private retry(): number {
    this.retries++;
    return MPSC_RETRY;
  }
}
