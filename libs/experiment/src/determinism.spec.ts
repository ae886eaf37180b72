// The promise of the product on its real mechanism: the same cell gives the same bytes, in this thread, in one worker
// and in two. The threads run the compiled code: build before running this file alone.
import { fileURLToPath } from 'node:url';
import { nullSink } from '@kworkbench/telemetry';
import { expect, it } from 'vitest';
import { isFailure, planRound } from './plan.js';
import { runExperiment } from './run.js';
import { readScenario } from './scenario/parse.js';
import { CellPool } from './worker/cell-pool.js';
import { runCell } from './worker/run-cell.js';

const STORM = fileURLToPath(new URL('../../../scenarios/netns-unshare-storm.yaml', import.meta.url));

it('gives the same digests for the storm in this thread, in one worker and in two', async () => {
  const scenario = readScenario(STORM, { set: { 'workload.cycles': '3000' }, replications: 2 });
  const here = planRound(scenario, new Map()).map(({ id, cell }) => [id, runCell(id, cell, nullSink).digest]);
  expect(new Set(here.map(([, digest]) => digest)).size).toBe(4);
  for (const workers of [1, 2]) {
    const pool = new CellPool({ workers });
    try {
      const { results } = await runExperiment(scenario, { pool });
      const digests = new Map(
        [...results].map(([id, result]) => [id, isFailure(result) ? result.message : result.digest]),
      );
      expect(here.map(([id]) => [id, digests.get(id!)])).toEqual(here);
    } finally {
      await pool.close();
    }
  }
});
