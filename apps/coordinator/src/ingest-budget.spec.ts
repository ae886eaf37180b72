import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IngestBudget } from './ingest-budget.js';

class Stream {
  reading = true;
  setReading(reading: boolean): void {
    this.reading = reading;
  }
}

describe('the ingest budget', () => {
  it('stops whoever goes beyond it, but not the oldest, and lets all go on when there is room', () => {
    const budget = new IngestBudget(100);
    const [oldest, middle, newest] = [new Stream(), new Stream(), new Stream()];
    budget.hold(oldest, 40);
    budget.hold(middle, 40);
    budget.hold(newest, 40);
    expect([oldest.reading, middle.reading, newest.reading]).toEqual([true, true, false]);
    budget.hold(oldest, 90);
    budget.hold(middle, 41);
    expect([oldest.reading, middle.reading]).toEqual([true, false]);
    budget.release(oldest);
    expect([middle.reading, newest.reading]).toEqual([true, true]);
    expect(budget.bytes).toBe(81);
  });

  it('lets the next oldest go on when the room is still not enough', () => {
    const budget = new IngestBudget(10);
    const streams = [new Stream(), new Stream(), new Stream()];
    for (const stream of streams) budget.hold(stream, 30);
    budget.release(streams[0]!);
    expect(streams.map(({ reading }) => reading)).toEqual([true, true, false]);
  });

  it('never goes beyond the budget by more than one cell and a message a stream, and always comes to an end', () => {
    const cells = fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(cells, fc.infiniteStream(fc.nat()), (plans, choices) => {
        const budget = new IngestBudget(50);
        const open = plans.map((messages) => ({ stream: new Stream(), messages: [...messages], held: 0 }));
        let most = 0;
        for (let steps = 0; open.length > 0; steps++) {
          expect(steps).toBeLessThan(1_000);
          const able = open.filter(({ stream }) => stream.reading);
          const next = able[choices.next().value % able.length]!;
          if (next.messages.length === 0) {
            budget.release(next.stream);
            open.splice(open.indexOf(next), 1);
          } else budget.hold(next.stream, (next.held += next.messages.pop()!));
          most = Math.max(most, budget.bytes);
        }
        expect(budget.bytes).toBe(0);
        expect(most).toBeLessThanOrEqual(50 + 20 * 9 + plans.length * 9);
      }),
    );
  });
});
