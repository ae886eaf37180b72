// Traces of cells of the real mechanism. The thread runs the compiled worker: build before running this file alone.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MemorySink } from '@kworkbench/telemetry';
import { TraceReader } from '@kworkbench/telemetry/testing';
import { afterAll, expect, it } from 'vitest';
import { planRound } from '../plan.js';
import { readScenario } from '../scenario/parse.js';
import { runCell } from './run-cell.js';
import { traceCell } from './trace-cell.js';

const STORM = fileURLToPath(new URL('../../../../scenarios/netns-unshare-storm.yaml', import.meta.url));
const scenario = readScenario(STORM, { set: { 'workload.cycles': '300' }, replications: 1 });
const [before] = planRound(scenario, new Map());

const folder = mkdtempSync(join(tmpdir(), 'kwb-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('traces a cell whose telemetry is the same as without, and shows all of it', async () => {
  const file = join(folder, 'all.pftrace');
  const sink = new MemorySink();
  const plain = runCell(before!.id, before!.cell, sink);
  const traced = await traceCell(before!, { file, limitBytes: 2 ** 28 });
  expect(traced).toMatchObject({ digest: plain.digest, cutEvents: 0, bytes: statSync(file).size });
  const trace = new TraceReader(readFileSync(file));
  expect(trace.title).toMatch(/^netns before\/0 /);
  const byCpu = new Map<number, number>();
  for (const { cpu, startNs, endNs } of trace.cpuSlices) {
    expect(startNs).toBeGreaterThanOrEqual(byCpu.get(cpu) ?? 0);
    byCpu.set(cpu, endNs ?? Infinity);
  }
  expect(byCpu.size).toBeGreaterThan(1);
  // Each cycle's exit queues work on one list; its worker takes the barrier's mutex once a round.
  expect(trace.track('barrier_mutex').slices.length).toBeGreaterThan(0);
  const table = sink.tables[0]!;
  const column = table.columns[1]!.name;
  const values = [...sink.column(table.name, column)];
  const changed = values.filter((value, i) => i === 0 || value !== values[i - 1]);
  expect(trace.track(column).counts.map(([, value]) => value)).toEqual(changed);
});

it('keeps the limit and the window', async () => {
  const file = join(folder, 'some.pftrace');
  const cut = await traceCell(before!, { file, limitBytes: 20_000 });
  expect(cut.bytes).toBe(statSync(file).size);
  expect(cut.bytes).toBeLessThanOrEqual(20_000);
  expect(cut.cutEvents).toBeGreaterThan(0);
  const [fromNs, toNs] = [200e6, 250e6];
  await traceCell(before!, { file, limitBytes: 2 ** 26, fromNs, toNs });
  const { cpuSlices } = new TraceReader(readFileSync(file));
  expect(cpuSlices.length).toBeGreaterThan(0);
  for (const { startNs, endNs } of cpuSlices) {
    expect(startNs).toBeGreaterThanOrEqual(fromNs);
    expect(endNs ?? toNs).toBeLessThanOrEqual(toNs);
  }
});

it('says what went wrong with the cell and with the file', async () => {
  const old = { ...before!, cell: { ...before!.cell, modelVersion: 0 } };
  await expect(traceCell(old, { file: join(folder, 'x'), limitBytes: 4096 })).rejects.toMatchObject({
    name: 'CellError',
    kind: 'model',
  });
  const nowhere = join(folder, 'none', 'x');
  await expect(traceCell(before!, { file: nowhere, limitBytes: 4096 })).rejects.toThrow(/ENOENT/);
  const signal = AbortSignal.timeout(0);
  const cancelled = traceCell(before!, { file: join(folder, 'x'), limitBytes: 4096, signal });
  await expect(cancelled).rejects.toMatchObject({ kind: 'cancelled' });
});
