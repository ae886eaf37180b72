// What every store must do. Both adapters run exactly this; what only one of them has stands in its own spec.
import { afterEach, beforeEach } from 'vitest';
import { Bench, type Database } from './testing/conformance/bench.js';
import { cells } from './testing/conformance/cells.js';
import { experiments } from './testing/conformance/experiments.js';
import { lifeCycle } from './testing/conformance/life-cycle.js';
import { plannedCells } from './testing/conformance/planned-cells.js';
import { removal } from './testing/conformance/removal.js';

/** @param newDatabase a new, empty database, for each test another one. */
export function storeConformance(newDatabase: () => Promise<Database>): void {
  const at = new Bench(newDatabase);
  beforeEach(() => at.begin());
  afterEach(() => at.end());

  lifeCycle(at);
  experiments(at);
  removal(at);
  plannedCells(at);
  cells(at);
}
