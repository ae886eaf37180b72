// P7: every interleaving of the two steps of up to three producers with polls, against a sequential queue.
import { describe, expect, it } from 'vitest';
import { MPSC_EMPTY, MPSC_RETRY, MpscQueue } from './mpsc-queue.js';

/** A schedule: -1 polls, p is the next step of producer p. */
const POLL = -1;

interface World {
  readonly queue: MpscQueue;
  /** Steps that each producer has done; two make an insert. */
  readonly steps: number[];
  readonly between: number[];
  /** Nodes in the order of their xchg; `linked` when the insert has ended. */
  readonly order: { readonly node: number; linked: boolean }[];
  readonly taken: number[];
}

const nodeOf = (producer: number, nth: number): number => 1 + producer * 10 + nth;

function replay(schedule: readonly number[], producers: number): World {
  const world: World = {
    queue: new MpscQueue({ next: new Int32Array(64) }, 0),
    steps: Array.from({ length: producers }, () => 0),
    between: Array.from({ length: producers }, () => -1),
    order: [],
    taken: [],
  };
  for (const actor of schedule) act(world, actor);
  return world;
}

function act(world: World, actor: number): void {
  if (actor === POLL) {
    poll(world);
    return;
  }
  const step = world.steps[actor]!++;
  const node = nodeOf(actor, step >> 1);
  if (step % 2 === 0) {
    world.between[actor] = world.queue.insertBegin(node);
    world.order.push({ node, linked: false });
  } else {
    world.queue.insertEnd(world.between[actor]!, node);
    world.order.find((entry) => entry.node === node)!.linked = true;
  }
}

function poll(world: World): void {
  const result = world.queue.poll();
  const first = world.order[0];
  if (result === MPSC_RETRY) {
    expect(world.order.some(({ linked }) => !linked)).toBe(true);
    return;
  }
  if (result === MPSC_EMPTY) {
    // Nothing there, or the oldest insert is under way and hides the rest.
    expect(first === undefined || !first.linked).toBe(true);
    return;
  }
  expect(result).toBe(first!.node);
  world.order.shift();
  world.taken.push(result);
}

function drain(world: World, inserts: readonly number[]): void {
  for (let i = 0; i < 40 && world.order.length > 0; i++) poll(world);
  expect(world.order).toEqual([]);
  expect(world.queue.poll()).toBe(MPSC_EMPTY);
  expect(world.queue.length).toBe(0);
  inserts.forEach((count, producer) => {
    const own = world.taken.filter((node) => Math.floor((node - 1) / 10) === producer);
    expect(own).toEqual(Array.from({ length: count }, (_, nth) => nodeOf(producer, nth)));
  });
}

/** All schedules of `inserts` per producer with at most `polls` in between; drains the queue at the end of each. */
function explore(inserts: readonly number[], polls: number): number {
  let schedules = 0;
  const go = (schedule: number[], left: readonly number[], pollsLeft: number): void => {
    const ended = left.every((steps) => steps === 0);
    if (ended) {
      schedules++;
      drain(replay(schedule, inserts.length), inserts);
      return;
    }
    left.forEach((steps, producer) => {
      if (steps === 0) return;
      go(
        [...schedule, producer],
        left.map((n, i) => (i === producer ? n - 1 : n)),
        pollsLeft,
      );
    });
    if (pollsLeft > 0 && schedule.at(-1) !== POLL) go([...schedule, POLL], left, pollsLeft - 1);
  };
  go(
    [],
    inserts.map((count) => 2 * count),
    polls,
  );
  return schedules;
}

describe('the MPSC queue', () => {
  it.each([
    ['one producer of three', [3], 6],
    ['two producers of one', [1, 1], 4],
    ['two producers of two and one', [2, 1], 3],
    ['three producers of one', [1, 1, 1], 3],
  ])('keeps each order, loses and doubles nothing, in every interleaving: %s', (_, inserts, polls) => {
    expect(explore(inserts, polls)).toBeGreaterThan(3);
  });

  it('hides an insert that has ended behind one that has not', () => {
    const queue = new MpscQueue({ next: new Int32Array(8) }, 0);
    queue.insert(1);
    const previous = queue.insertBegin(2);
    queue.insert(3);
    expect(queue.poll()).toBe(MPSC_RETRY);
    queue.insertEnd(previous, 2);
    expect([queue.poll(), queue.poll(), queue.poll(), queue.poll()]).toEqual([1, 2, 3, MPSC_EMPTY]);
    expect(queue.retries).toBe(1);
  });

  it('gives back first what was put in front', () => {
    const queue = new MpscQueue({ next: new Int32Array(8) }, 0);
    queue.insert(1);
    queue.insert(2);
    expect(queue.poll()).toBe(1);
    queue.pushFront(1);
    expect([queue.poll(), queue.poll(), queue.poll()]).toEqual([1, 2, MPSC_EMPTY]);
  });
});
