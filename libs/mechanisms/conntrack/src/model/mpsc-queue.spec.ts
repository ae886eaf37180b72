// P7: every interleaving of the steps of up to three producers of three inserts with those of a consumer that polls without
// end and may put back what it has taken, against a sequential queue.
//
// The walk is over states, not schedules: two schedules that lead to the same state of memory, producers and consumer have
// the same future. Nodes are numbered in the order of their xchg, so producers that are alike are one, and the sequential
// queue is a counter: the consumer must get 1, 2, 3 ... As a producer's inserts follow each other, that is its order too.
// Numbers count from the last one taken, so what is through leaves no trace.
import { invariant } from '@kworkbench/machine';
import { describe, expect, it } from 'vitest';
import { MPSC_EMPTY, MPSC_GO_ON, MPSC_RETRY, MpscQueue } from './mpsc-queue.js';

const NODES = 16;
const STUB = 0;

interface Producer {
  /** Inserts that are left, the one under way included. */
  left: number;
  /** Between its two steps: the node, and the one that it links it to. */
  node: number;
  previous: number;
}

/** The memory of a queue, which is looked at and copied. */
interface Insides {
  nodes: { next: Int32Array };
  head: number;
  tail: number;
  at: number;
  beforeStub: number;
}

class World {
  readonly queue = new MpscQueue({ next: new Int32Array(NODES).fill(-1) }, STUB);
  begun = 0;
  taken = 0;
  polling = false;
  /** At the begin of the poll the next node was linked; since then an insert has been under way. */
  wasLinked = false;
  sawInsert = false;
  /** It has just taken one, which it may put back. */
  inHand = false;

  constructor(readonly producers: readonly Producer[]) {}

  private get insides(): Insides {
    return this.queue as unknown as Insides;
  }

  copy(): World {
    const world = new World(this.producers.map(({ left, node, previous }) => ({ left, node, previous })));
    const { begun, taken, polling, wasLinked, sawInsert, inHand } = this;
    Object.assign(world, { begun, taken, polling, wasLinked, sawInsert, inHand });
    Object.assign(world.queue, this.queue, { nodes: { next: this.insides.nodes.next.slice() } });
    return world;
  }

  /** All that its future depends on. */
  get key(): string {
    const { nodes, head, tail, at, beforeStub } = this.insides;
    const { begun, taken } = this;
    const relative = (node: number): number => (node > taken ? node - taken : node === STUB ? 0 : -1);
    const producers = this.producers.map(({ left, node, previous }) => {
      return node === 0 ? left : (left * NODES + relative(node)) * NODES + relative(previous);
    });
    let key = `${producers.sort((a, b) => a - b).join()};${begun - taken},${relative(head)},${relative(tail)},${at}`;
    // Elsewhere it is what a poll before has left behind.
    if (this.polling) key += `,${relative(beforeStub)},${this.wasLinked},${this.sawInsert}`;
    key += `;${this.inHand};${relative(nodes.next[STUB]!)}`;
    for (let node = taken + 1; node <= begun; node++) key += `,${relative(nodes.next[node]!)}`;
    return key;
  }

  get inserting(): boolean {
    return this.queue.inserting > 0;
  }

  isLinked(node: number): boolean {
    return node <= this.begun && this.producers.every((producer) => producer.node !== node);
  }

  insertStep(producer: Producer): void {
    if (producer.node === 0) {
      producer.node = ++this.begun;
      producer.previous = this.queue.insertBegin(producer.node);
    } else {
      this.queue.insertEnd(producer.previous, producer.node);
      producer.left--;
      producer.node = producer.previous = 0;
    }
    this.sawInsert ||= this.polling && this.inserting;
  }

  pollStep(): number {
    if (!this.polling) {
      this.polling = true;
      this.inHand = false;
      this.wasLinked = this.isLinked(this.taken + 1);
      this.sawInsert = this.inserting;
    }
    const result = this.queue.pollStep();
    if (result === MPSC_GO_ON) return result;
    this.polling = false;
    if (result === MPSC_RETRY) invariant(this.sawInsert, 'RETRY although no insert was under way');
    else if (result === MPSC_EMPTY) {
      invariant(!this.wasLinked || this.sawInsert, 'EMPTY although a node was there and no insert under way');
    } else {
      invariant(result === ++this.taken, 'not in the order of the xchg, lost or doubled');
      this.inHand = true;
    }
    return result;
  }

  pushFront(): void {
    this.queue.pushFront(this.taken--);
    this.inHand = false;
  }
}

/** With no insert under way, a consumer gets all that is there and then EMPTY, without a RETRY. */
function drain(world: World): void {
  for (let result; (result = world.pollStep()) !== MPSC_EMPTY;) {
    invariant(result !== MPSC_RETRY, 'RETRY although no insert is under way');
  }
  invariant(world.taken === world.begun && world.queue.length === 0, 'EMPTY although there is something');
}

interface Explored {
  states: number;
  /** Those in which all has been inserted and taken. */
  ends: number;
  /** Steps that answered EMPTY although a node was there, linked since before the poll. */
  hidden: number;
}

function explore(inserts: readonly number[], putsBack: boolean): Explored {
  const open: World[] = [];
  const seen = new Set<string>();
  const found: Explored = { states: 0, ends: 0, hidden: 0 };
  const meet = (world: World): void => {
    const { key } = world;
    if (seen.has(key)) return;
    seen.add(key);
    open.push(world);
    found.states++;
    if (world.producers.every(({ left }) => left === 0) && world.taken === world.begun) found.ends++;
    if (!world.inserting && !world.polling) drain(world.copy());
  };
  meet(new World(inserts.map((left) => ({ left, node: 0, previous: 0 }))));
  for (let world; (world = open.pop()) !== undefined;) {
    for (let i = 0; i < world.producers.length; i++) {
      if (world.producers[i]!.left === 0) continue;
      const next = world.copy();
      next.insertStep(next.producers[i]!);
      meet(next);
    }
    const next = world.copy();
    if (next.pollStep() === MPSC_EMPTY && next.wasLinked) found.hidden++;
    meet(next);
    if (!putsBack || !world.inHand) continue;
    const back = world.copy();
    back.pushFront();
    meet(back);
  }
  return found;
}

describe('the MPSC queue', () => {
  it.each([
    ['one producer of one', [1], 0],
    ['one producer of three', [3], 2],
    ['two producers of one', [1, 1], 1],
    ['two producers of three', [3, 3], 89],
    ['three producers of one', [1, 1, 1], 6],
    ['three producers of three', [3, 3, 3], 1_835],
  ])('P7: keeps each order, loses and doubles nothing, in every interleaving: %s', (_, inserts, hidden) => {
    const found = explore(inserts, true);
    // All is through with nothing in hand, and with the last node in hand.
    expect(found.ends).toBe(2);
    expect(found.hidden).toBe(hidden);
  });

  it('hides an insert that has ended behind one that has not', () => {
    const queue = new MpscQueue({ next: new Int32Array(8) }, STUB);
    queue.insert(1);
    const previous = queue.insertBegin(2);
    queue.insert(3);
    expect(queue.poll()).toBe(MPSC_RETRY);
    queue.insertEnd(previous, 2);
    expect([queue.poll(), queue.poll(), queue.poll(), queue.poll()]).toEqual([1, 2, 3, MPSC_EMPTY]);
    expect(queue.retries).toBe(1);
  });

  it('looks empty, not busy, when an insert begins between the look at the head and the stub, as the original does', () => {
    const queue = new MpscQueue({ next: new Int32Array(8) }, STUB);
    queue.insert(1);
    // From the stub to the node, its link, the head.
    for (let step = 0; step < 3; step++) expect(queue.pollStep()).toBe(MPSC_GO_ON);
    const previous = queue.insertBegin(2);
    expect([queue.pollStep(), queue.pollStep(), queue.pollStep()]).toEqual([MPSC_GO_ON, MPSC_GO_ON, MPSC_EMPTY]);
    queue.insertEnd(previous, 2);
    expect([queue.poll(), queue.poll(), queue.poll()]).toEqual([1, 2, MPSC_EMPTY]);
  });

  it('gives back first what was put in front', () => {
    const queue = new MpscQueue({ next: new Int32Array(8) }, STUB);
    queue.insert(1);
    queue.insert(2);
    expect(queue.poll()).toBe(1);
    queue.pushFront(1);
    expect([queue.poll(), queue.poll(), queue.poll()]).toEqual([1, 2, MPSC_EMPTY]);
  });
});
