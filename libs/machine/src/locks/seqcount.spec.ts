import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { testMachine } from '../testing/build.js';
import { Seqcount } from './seqcount.js';

const span = fc.record({ gapNs: fc.integer({ min: 1, max: 3000 }), ns: fc.integer({ min: 1, max: 2000 }) });

describe('Seqcount', () => {
  it('makes a reader begin anew exactly when a write overlapped, and never lets it see half a write', () => {
    fc.assert(
      fc.property(
        fc.array(span, { maxLength: 12 }),
        fc.array(span, { minLength: 1, maxLength: 12 }),
        (writes, reads) => {
          const machine = testMachine(2);
          const seq = new Seqcount(machine, 'seq');
          let [left, right, overlaps, torn] = [0, 0, 0, 0];
          const written: [number, number][] = [];
          machine.spawn(
            'writer',
            function* () {
              for (const { gapNs, ns } of writes) {
                yield machine.sleep(gapNs);
                const startNs = machine.nowNs;
                seq.writeBegin();
                left++;
                yield ns;
                right++;
                seq.writeEnd();
                written.push([startNs, machine.nowNs]);
              }
            },
            { on: machine.cpus[0]! },
          );
          const attempts: [number, number][] = [];
          machine.spawn(
            'reader',
            function* () {
              for (const { gapNs, ns } of reads) {
                yield machine.sleep(gapNs);
                let start: number;
                do {
                  for (let wait; (wait = seq.acquireRead()) !== 0;) yield wait;
                  start = seq.sequence;
                  const fromNs = machine.nowNs;
                  const first = left;
                  yield ns;
                  if (seq.sequence !== start) overlaps++;
                  else if (right !== first) torn++;
                  attempts.push([fromNs, machine.nowNs]);
                } while (seq.readRetry(start));
              }
            },
            { on: machine.cpus[1]! },
          );
          machine.run(Infinity);
          expect(machine.scheduler.liveTasks).toBe(0);
          expect(attempts.length).toBe(reads.length + seq.retries);
          expect([seq.retries, torn]).toEqual([overlaps, 0]);
          // Instants that both share go either way; apart from those an attempt fails exactly when a write was inside.
          const strict = attempts.filter(([from, to]) =>
            written.some(([start, end]) => start < to && end > from),
          ).length;
          const loose = attempts.filter(([from, to]) =>
            written.some(([start, end]) => start <= to && end >= from),
          ).length;
          expect(seq.retries).toBeGreaterThanOrEqual(strict);
          expect(seq.retries).toBeLessThanOrEqual(loose);
        },
      ),
    );
  });

  it('lets readers that find a write under way burn CPU time until it is over', () => {
    const machine = testMachine(3);
    const seq = new Seqcount(machine, 'seq');
    machine.spawn(
      'writer',
      function* () {
        seq.writeBegin();
        yield 1000;
        seq.writeEnd();
      },
      { on: machine.cpus[0]! },
    );
    const readers = [1, 2].map((cpu) =>
      machine.spawn(
        `reader ${cpu}`,
        function* () {
          yield 400;
          for (let wait; (wait = seq.acquireRead()) !== 0;) yield wait;
          expect([machine.nowNs, seq.sequence]).toEqual([1000, 2]);
        },
        { on: machine.cpus[cpu]! },
      ),
    );
    machine.run(Infinity);
    expect(readers.map(({ cpuTimeNs }) => cpuTimeNs)).toEqual([1000, 1000]);
    expect([seq.spins, seq.retries]).toEqual([2, 0]);
  });

  it('lets a reader spin on when the next write begins the moment that one ends', () => {
    const machine = testMachine(2);
    const seq = new Seqcount(machine, 'seq');
    let beganNs = 0;
    machine.spawn('writer', function* () {
      for (let i = 0; i < 2; i++) {
        seq.writeBegin();
        yield 1000;
        seq.writeEnd();
      }
    });
    machine.spawn('reader', function* () {
      yield 400;
      for (let wait; (wait = seq.acquireRead()) !== 0;) yield wait;
      beganNs = machine.nowNs;
    });
    machine.run(Infinity);
    expect([beganNs, seq.spins]).toEqual([2000, 1]);
  });

  it('has one writer, which is not preempted', () => {
    const machine = testMachine();
    const seq = new Seqcount(machine, 'seq');
    machine.spawn('a', function* () {
      seq.writeBegin();
      yield 1;
      expect(machine.current.preemptDepth).toBe(1);
      seq.writeBegin();
    });
    expect(() => machine.run(Infinity)).toThrow(InvariantViolation);
    expect(() => new Seqcount(machine, 'other').writeEnd()).toThrow(InvariantViolation);
  });
});
