import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceReader } from '../testing/read-trace.js';
import { PrevState, TraceRecorder, type TraceOptions, type TraceSummary } from './trace-recorder.js';

const MIB = 2 ** 20;

function record(options: Partial<TraceOptions>, fill: (trace: TraceRecorder) => void) {
  const parts: Uint8Array[] = [];
  const recorder = new TraceRecorder({ title: 'a run', limitBytes: MIB, ...options }, (bytes) =>
    parts.push(bytes.slice()),
  );
  fill(recorder);
  const summary: TraceSummary = recorder.finish();
  const bytes = Buffer.concat(parts);
  expect(bytes.length).toBe(summary.bytes);
  return { summary, bytes, trace: new TraceReader(bytes) };
}

const slicesOf = (trace: TraceReader) =>
  trace.cpuSlices.map(({ cpu, name, startNs, endNs, endState }) => [cpu, name, startNs, endNs, endState]);

describe('a trace', () => {
  it('shows what each CPU ran, to the ns, and how it ended', () => {
    const { trace, summary } = record({}, (t) => {
      const a = t.thread('a');
      const b = t.thread('b');
      t.switchIn(5, 0, a, 120);
      t.switchIn(7, 3, b, 100);
      t.switchOut(1_000_000_000_001, 0, PrevState.Sleeping);
      t.switchIn(1_000_000_000_001, 0, b, 120);
      t.switchOut(1_000_000_000_002, 0, PrevState.Dead);
    });
    expect(trace.title).toBe('a run');
    expect(slicesOf(trace)).toEqual([
      [0, 'a', 5, 1_000_000_000_001, PrevState.Sleeping],
      [0, 'b', 1_000_000_000_001, 1_000_000_000_002, PrevState.Dead],
      [3, 'b', 7, undefined, undefined],
    ]);
    // Leaving one and taking another at one time is one switch; every call counts as an event.
    expect(summary).toMatchObject({ events: 5, cutEvents: 0, cutAtNs: undefined });
  });

  it('shows who was woken, where from and where to', () => {
    const { trace } = record({}, (t) => {
      const a = t.thread('a');
      t.waking(10, a, 120, 2, 1);
      t.waking(20, a, 120, -1, 3);
    });
    expect(trace.wakings.map(({ timeNs, cpu, target, flags }) => [timeNs, cpu, target, flags])).toEqual([
      [10, 2, 1, 0],
      [20, 3, 3, 8],
    ]);
  });

  it('shows slices on threads and tracks of their own, instants and counters', () => {
    const { trace } = record({}, (t) => {
      const a = t.thread('a');
      const locks = t.track('locks');
      const lock = t.track('rtnl_mutex', locks);
      const memory = t.counterTrack('MemAvailable', 'bytes');
      t.begin(1, a, t.nameOf('cleanup_net'));
      t.begin(2, a, t.nameOf('wait'));
      t.begin(3, lock, t.nameOf('a'));
      t.end(4, a);
      t.end(6, lock);
      t.instant(7, a, t.nameOf('grace period'));
      t.end(8, a);
      for (const [time, value] of [
        [1, 70 * 2 ** 30],
        [2, -1.5],
        [3, 0],
      ] as const)
        t.counter(time, memory, value);
    });
    const { slices, instants, isThread } = trace.track('a');
    expect(isThread).toBe(true);
    expect(slices).toEqual([
      { name: 'cleanup_net', startNs: 1, endNs: 8, depth: 0 },
      { name: 'wait', startNs: 2, endNs: 4, depth: 1 },
    ]);
    expect(instants).toEqual([[7, 'grace period']]);
    expect(trace.tracks.get(trace.track('rtnl_mutex').parent)?.name).toBe('locks');
    expect(trace.track('MemAvailable')).toMatchObject({
      unit: 'bytes',
      counts: [
        [1, 70 * 2 ** 30],
        [2, -1.5],
        [3, 0],
      ],
    });
  });

  it('takes CPUs that the viewer refuses as tracks', () => {
    const { trace } = record({}, (t) => {
      const a = t.thread('a');
      t.switchIn(1, 4095, a, 120);
      t.waking(2, a, 120, 4095, 4095);
      t.switchOut(3, 4095, PrevState.Sleeping);
    });
    expect(trace.track('CPU 4095').slices).toEqual([{ name: 'a', startNs: 1, endNs: 3, depth: 0 }]);
    expect(trace.cpuSlices).toEqual([]);
  });

  it('refuses to end what did not begin, and a limit that holds nothing', () => {
    expect(() => record({}, (t) => t.end(1, t.thread('a')))).toThrow('nothing to end on a');
    expect(() => record({ limitBytes: 100 }, () => {})).toThrow('at least 4096 bytes, got 100');
  });
});

describe('a window', () => {
  it('begins with what runs and is open by then, and ends with it', () => {
    const { trace, summary } = record({ fromNs: 100, toNs: 200 }, (t) => {
      const a = t.thread('a');
      const b = t.thread('b');
      const level = t.counterTrack('level', 'things');
      t.switchIn(10, 0, b, 120);
      t.switchOut(20, 0, PrevState.Sleeping);
      t.switchIn(30, 1, a, 110);
      t.begin(40, a, t.nameOf('outer'));
      t.begin(50, a, t.nameOf('inner'));
      t.counter(60, level, 7);
      t.end(150, a);
      t.switchOut(160, 1, PrevState.Runnable);
      t.end(250, a);
      t.switchIn(260, 0, b, 120);
    });
    expect(slicesOf(trace)).toEqual([[1, 'a', 100, 160, PrevState.Runnable]]);
    expect(trace.track('a').slices.map(({ name, startNs, endNs }) => [name, startNs, endNs])).toEqual([
      ['outer', 100, undefined],
      ['inner', 100, 150],
    ]);
    expect(trace.track('level').counts).toEqual([[100, 7]]);
    expect(summary.cutEvents).toBe(0);
    expect(() => trace.track('b')).toThrow('no track b');
  });
});

/** Tasks of 16 CPUs that run, are woken and hold something, without end. */
function storm(t: TraceRecorder, rounds: number, named: (task: number) => string): void {
  const tasks = Array.from({ length: 200 }, (_, i) => t.thread(named(i)));
  const lock = t.track('lock');
  const level = t.counterTrack('level', 'bytes');
  for (let round = 0; round < rounds; round++) {
    const nowNs = round * 1_000;
    const cpu = round % 16;
    const task = tasks[round % tasks.length]!;
    t.waking(nowNs, task, 120, (cpu + 1) % 16, cpu);
    t.switchIn(nowNs + 1, cpu, task, 120);
    t.begin(nowNs + 2, lock, t.nameOf(named(round % tasks.length)));
    t.counter(nowNs + 3, level, round * 4096);
    t.end(nowNs + 4, lock);
    t.switchOut(nowNs + 999, cpu, PrevState.Sleeping);
  }
}

describe('the limit', () => {
  it.each([
    [8 * 1024, 20_000],
    [100_000, 20_000],
    [MIB, 50_000],
  ])('of %d bytes holds in a storm, and is used', (limitBytes, rounds) => {
    const { summary, trace } = record({ limitBytes }, (t) => storm(t, rounds, (i) => `kworker/${i}:0`));
    expect(summary.bytes).toBeLessThanOrEqual(limitBytes);
    expect(summary.bytes).toBeGreaterThan(limitBytes * 0.7);
    // Every switch to a task makes six calls a round.
    expect(summary.events + summary.cutEvents).toBe(6 * rounds);
    expect(summary.cutAtNs).toBeGreaterThan(0);
    const [[atNs, mark]] = trace.tracks.get(1)!.instants as [[number, string]];
    expect(atNs).toBe(summary.cutAtNs);
    expect(mark).toBe(
      `trace cut here: limit of ${limitBytes} bytes reached, ${summary.cutEvents} later events left out`,
    );
    // Nothing after the cut is shown, on any track.
    const last = Math.max(
      ...trace.cpuSlices.map((slice) => slice.startNs),
      ...trace.track('lock').slices.map((slice) => slice.startNs),
    );
    expect(last).toBeLessThanOrEqual(atNs);
  });

  it('holds whatever is recorded, and what was written can be read', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    const step = fc.record({ cpu: fc.nat(1200), gapNs: fc.nat(2 ** 40), task: fc.nat(5), what: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.integer({ min: 4096, max: 9000 }),
        fc.array(text, { minLength: 6, maxLength: 6 }),
        fc.array(step, { maxLength: 300 }),
        (limitBytes, texts, steps) => {
          const { summary } = record({ limitBytes }, (t) => {
            const tasks = texts.map((each) => t.thread(each));
            const runs = new Set<number>();
            let nowNs = 0;
            for (const { cpu, gapNs, task, what } of steps) {
              nowNs += gapNs;
              if (what === 0) t.waking(nowNs, tasks[task]!, 120, cpu, cpu);
              else if (what === 1) t.instant(nowNs, tasks[task]!, t.nameOf(texts[(task + 1) % 6]!));
              else if (runs.delete(cpu)) t.switchOut(nowNs, cpu, PrevState.Sleeping);
              else {
                runs.add(cpu);
                t.switchIn(nowNs, cpu, tasks[task]!, 120);
              }
            }
          });
          expect(summary.bytes).toBeLessThanOrEqual(limitBytes);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('costs about ten bytes a switch or wakeup', () => {
    const tasks = 20;
    const { summary } = record({ limitBytes: 16 * MIB }, (t) => {
      const ids = Array.from({ length: tasks }, (_, i) => t.thread(`task ${i}`));
      for (let i = 0; i < 20_000; i++) {
        t.switchIn(i * 5_000, i % 8, ids[i % tasks]!, 120);
        t.switchOut(i * 5_000 + 4_000, i % 8, PrevState.Sleeping);
      }
    });
    expect(summary.bytes / summary.events).toBeLessThan(10);
  });
});
