// One cell of every scenario of the catalogue, pinned: same cell, same digest, on any machine. A change of behaviour
// changes these and raises the model version of its mechanism; `npm run golden` here writes them anew.
import { fileURLToPath } from 'node:url';
import { nullSink } from '@kworkbench/telemetry';
import { describe, expect, it } from 'vitest';
import { planRound } from './plan.js';
import { listScenarioFiles, readScenario } from './scenario/parse.js';
import { runCell } from './worker/run-cell.js';

const files = listScenarioFiles(fileURLToPath(new URL('../../../scenarios', import.meta.url)));
/** A cell at full size takes seconds; the limit only ends a run that hangs. */
const CELL_LIMIT_MS = 120_000;

describe('the digest of the last design of', () => {
  it.each(files)(
    '$name',
    ({ file }) => {
      const scenario = readScenario(file);
      const { label } = scenario.variants.at(-1)!;
      const { id, cell } = planRound(scenario, new Map()).find(({ variant }) => variant === label)!;
      expect({ cell: id, digest: runCell(id, cell, nullSink).digest }).toMatchSnapshot();
    },
    CELL_LIMIT_MS,
  );
});
