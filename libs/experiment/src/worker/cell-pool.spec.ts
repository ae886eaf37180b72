// The threads run the compiled worker: build before running this file alone.
import { setTimeout as sleep } from 'node:timers/promises';
import { MemorySink, TelemetryDigest, type Frame } from '@kworkbench/telemetry';
import { afterAll, describe, expect, it } from 'vitest';
import { planRound } from '../plan.js';
import { runExperiment } from '../run.js';
import { queueScenario } from '../testing/scenarios.js';
import { CellPool } from './cell-pool.js';
import { FRAME_WINDOW } from './protocol.js';
import { runCell } from './run-cell.js';

const MECHANISM = new URL('../../dist/testing/queue-mechanism.js', import.meta.url).href;
const pools: CellPool[] = [];

function poolOf(workers: number, heapMb = 256): CellPool {
  const pool = new CellPool({ workers, heapMb, mechanismModules: [MECHANISM] });
  pools.push(pool);
  return pool;
}

afterAll(() => Promise.all(pools.map((pool) => pool.close())));

const cellsOf = (workload: Record<string, unknown>, replications = 1) =>
  planRound(queueScenario({ variants: ['before'], workload, replications }), new Map());
const [good] = cellsOf({ items: 3000 });
const shared = poolOf(1);

describe('CellPool', () => {
  it('gives the bytes that the cell gives in this thread', async () => {
    const here = new MemorySink();
    const expected = runCell(good!.id, good!.cell, here);
    const sink = new MemorySink();
    const result = await shared.run(good!, { sink });
    expect(result).toEqual({ ...expected, wallSeconds: expect.any(Number) });
    expect(sink.frames).toEqual(here.frames);
    expect(sink.frames.length).toBeGreaterThan(3);
    const again = new TelemetryDigest();
    again.header(sink.headers[0]!);
    for (const frame of sink.frames) again.frame(frame);
    expect(again.outcome(result)).toBe(result.digest);
  });

  it('gives the same digest when nobody wants the frames', async () => {
    expect((await shared.run(good!)).digest).toBe(runCell(good!.id, good!.cell, new MemorySink()).digest);
  });

  it.each([
    ['throw', 'model', /^TypeError: the model fell over \(at /],
    ['invariant', 'invariant', /^I1: created = freed/],
    ['nan', 'model', /backlog_bytes is NaN/],
    ['missing', 'model', /backlog_bytes is declared and missing/],
    ['undeclared', 'model', /surprise_total is not declared/],
  ])('says what went wrong in a cell that does %s, and runs the next one', async (fault, kind, message) => {
    const [bad] = cellsOf({ fault, items: 10 });
    await expect(shared.run(bad!)).rejects.toMatchObject({
      name: 'CellError',
      kind,
      message: expect.stringMatching(message),
    });
    expect((await shared.run(good!)).cellId).toBe(good!.id);
  });

  it('survives a cell that eats its heap', async () => {
    const pool = poolOf(1, 32);
    await expect(pool.run(cellsOf({ fault: 'memory' })[0]!)).rejects.toMatchObject({
      kind: 'memory',
      message: 'needed more than the 32 MB of heap that a cell may have',
    });
    expect((await pool.run(good!)).cellId).toBe(good!.id);
  });

  it('stops a cell that takes too long', async () => {
    const [hanging] = cellsOf({ fault: 'hang' });
    await expect(shared.run(hanging!, { timeoutMs: 100 })).rejects.toMatchObject({
      kind: 'timeout',
      message: 'not finished after 0.1 s',
    });
    expect((await shared.run(good!)).cellId).toBe(good!.id);
  });

  it('cancels what runs and what waits', async () => {
    const abort = new AbortController();
    const [hanging] = cellsOf({ fault: 'hang' });
    const running = shared.run(hanging!, { signal: abort.signal, onStart: () => setTimeout(() => abort.abort(), 50) });
    const waiting = shared.run(good!, { signal: abort.signal });
    await Promise.allSettled([running, waiting]);
    await expect(running).rejects.toMatchObject({ kind: 'cancelled', message: 'cancelled while it ran' });
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled', message: 'cancelled before it started' });
    await expect(shared.run(good!, { signal: abort.signal })).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('holds a cell back while its consumer is slow, and does not count that as its time', async () => {
    const [long] = cellsOf({ items: 20_000 });
    const frames: Frame[] = [];
    let arrived = 0;
    const gate = Promise.withResolvers<void>();
    const sink = {
      header() {},
      async frame(frame: Frame) {
        arrived++;
        await gate.promise;
        frames.push(frame);
      },
    };
    const started = Promise.withResolvers<void>();
    const running = shared.run(long!, { sink, timeoutMs: 600, onStart: started.resolve });
    await started.promise;
    await sleep(750);
    // One is in the hands of the consumer; the others wait in the window. None of them is lost.
    expect(arrived).toBe(1);
    expect(frames).toHaveLength(0);
    gate.resolve();
    const result = await running;
    expect(frames).toHaveLength(Math.ceil(20_000 / 512));
    expect(frames.length).toBeGreaterThan(FRAME_WINDOW);
    expect(result.wallSeconds).toBeLessThan(0.6);
  });

  it('stops a cell whose consumer fails, with the error of the consumer', async () => {
    const full = new Error('no space left on device');
    const sink = { header() {}, frame: () => Promise.reject(full) };
    await expect(shared.run(good!, { sink })).rejects.toBe(full);
    expect((await shared.run(good!)).cellId).toBe(good!.id);
  });

  it('rejects everything once it is closed', async () => {
    const pool = poolOf(1);
    const running = pool.run(cellsOf({ fault: 'hang' })[0]!);
    const waiting = pool.run(good!);
    const all = Promise.allSettled([running, waiting]);
    await sleep(20);
    await pool.close();
    expect((await all).map((outcome) => outcome.status === 'rejected' && outcome.reason.kind)).toEqual([
      'cancelled',
      'cancelled',
    ]);
    await expect(pool.run(good!)).rejects.toMatchObject({ kind: 'cancelled' });
  });
});

describe('runExperiment', () => {
  const scenario = queueScenario({ workload: { items: 1500 }, variants: ['before', 'fast'] });
  const digests = async (workers: number) => {
    const { results } = await runExperiment(scenario, { pool: poolOf(workers) });
    return [...results].map(([id, result]) => [id, 'digest' in result && result.digest]).sort();
  };

  it('gives the same digests in two runs, with one worker and with two', async () => {
    const one = await digests(1);
    expect(one).toHaveLength(6);
    expect(await digests(1)).toEqual(one);
    expect(await digests(2)).toEqual(one);
  });

  it('tells what it does', async () => {
    const seen: string[] = [];
    const small = queueScenario({ replications: 1, variants: ['before'], workload: { items: 600 } });
    await runExperiment(small, { pool: shared, onEvent: (event) => seen.push(event.type) });
    expect(seen).toEqual(['planned', 'started', 'progress', 'progress', 'finished']);
  });

  it('goes on when cells fail, and lists the failures', async () => {
    const broken = queueScenario({ variants: ['before'], workload: { fault: 'throw' }, replications: 2 });
    const { planned, results } = await runExperiment(broken, { pool: shared });
    expect(planned).toHaveLength(2);
    expect([...results.values()]).toEqual(
      planned.map(({ id }) => ({ cellId: id, kind: 'model', message: expect.any(String) })),
    );
  });

  it('ends as cancelled when it is told to stop', async () => {
    const hanging = queueScenario({ variants: ['before'], workload: { fault: 'hang' }, replications: 2 });
    const { results } = await runExperiment(hanging, { pool: shared, signal: AbortSignal.timeout(100) });
    expect([...results.values()].map((result) => 'kind' in result && result.kind)).toEqual(['cancelled', 'cancelled']);
  });

  it('bisects in rounds', async () => {
    const find = {
      parameter: 'workload.rate',
      from: 100,
      to: 3000,
      precision: '10%',
      metric: 'wait_p99_seconds',
      condition: 'med>100ms',
    };
    const searching = queueScenario({ find, variants: ['before'], replications: 1 });
    const { planned, results } = await runExperiment(searching, { pool: shared });
    expect(planned.length).toBeGreaterThan(3);
    expect(planRound(searching, results)).toEqual([]);
  });

  it('gives back the error of a sink after it has stopped everything', async () => {
    const full = new Error('no space left on device');
    const sinkFor = () => ({ header: () => Promise.reject(full), frame() {} });
    await expect(runExperiment(scenario, { pool: shared, sinkFor })).rejects.toBe(full);
  });
});
