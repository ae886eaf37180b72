import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCell } from './worker/run-cell.js';
import { buildReport } from './report/build.js';
import { RunDirectory } from './run-directory.js';
import { parseScenario } from './scenario/parse.js';
import { planRound } from './plan.js';
import { played, simulated } from './testing/results.js';
import { queueScenario } from './testing/scenarios.js';
import type { CellResult } from './cell.js';

const root = () => join(mkdtempSync(join(tmpdir(), 'kwb-')), 'runs');
const STARTED = new Date('2026-11-21T01:02:03.456Z');

describe('RunDirectory', () => {
  it('is named after time, scenario and content, and never used twice', async () => {
    const folder = root();
    const scenario = queueScenario();
    const first = await RunDirectory.create(folder, scenario, STARTED);
    const second = await RunDirectory.create(folder, scenario, STARTED);
    const other = await RunDirectory.create(folder, queueScenario({ seed: 2 }), STARTED);
    expect(first.path).toMatch(/\/20261121T010203Z-queue-test-[0-9a-f]{8}$/);
    expect(second.path).toBe(`${first.path}-2`);
    expect(other.path).not.toContain(first.path);
    expect(planRound(parseScenario(readFileSync(join(first.path, 'scenario.yaml'), 'utf8'), 'x'), new Map())).toEqual(
      planRound(scenario, new Map()),
    );
  });

  it('holds series, histograms, outcome, report and JUnit of a run', async () => {
    const scenario = queueScenario({ workload: { items: 1200 }, replications: 1, sweep: { 'machine.cpus': [4, 8] } });
    const input = played(scenario, simulated);
    const directory = await RunDirectory.create(root(), scenario, STARTED);
    for (const planned of input.planned) {
      const waiting: Promise<void>[] = [];
      const sink = directory.sinkFor(planned);
      // As the pool does it: one after the other.
      let last = Promise.resolve();
      runCell(planned.id, planned.cell, {
        header: (header) => void (last = last.then(() => sink.header(header))),
        frame: (frame) => void waiting.push((last = last.then(() => sink.frame(frame)))),
      });
      await Promise.all(waiting);
      await directory.finish(planned, input.results.get(planned.id) as CellResult);
    }
    await directory.writeReport(buildReport(input));

    const cells = readdirSync(join(directory.path, 'cells'));
    expect(cells.toSorted()[0]).toMatch(/^before-cpus=4-r0-[0-9a-f]{8}$/);
    expect(cells).toHaveLength(4);
    const cell = join(directory.path, 'cells', cells[0]!);
    const series = readFileSync(join(cell, 'queue.csv'), 'utf8').trimEnd().split('\n');
    expect(series[0]).toBe('time_seconds,wait_seconds');
    expect(series).toHaveLength(1 + 1200);
    expect(readFileSync(join(cell, 'histograms.hlog'), 'utf8')).toContain('Tag=wait_seconds');
    expect(JSON.parse(readFileSync(join(cell, 'outcome.json'), 'utf8')).digest).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(readFileSync(join(directory.path, 'report.json'), 'utf8'))).toEqual(buildReport(input));
    expect(existsSync(join(directory.path, 'junit.xml'))).toBe(true);
  });

  it('does not write over a report', async () => {
    const scenario = queueScenario({ replications: 1 });
    const directory = await RunDirectory.create(root(), scenario, STARTED);
    writeFileSync(join(directory.path, 'report.json'), 'mine');
    await expect(directory.writeReport(buildReport(played(scenario, simulated)))).rejects.toMatchObject({
      code: 'EEXIST',
    });
    expect(readFileSync(join(directory.path, 'report.json'), 'utf8')).toBe('mine');
  });
});
