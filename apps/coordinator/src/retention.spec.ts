import { createLogger } from '@kworkbench/service-host';
import { statSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { Retention } from './retention.js';
import { StoreLink } from './store-link.js';
import { openStore } from './store/index.js';
import { newExperiment, plannedCell, resultCommit } from './store/testing/fixtures.js';
import { endEverything, scratchDirectory } from './testing/processes.js';

const log = createLogger('test', 'silent');

afterAll(endEverything);

it('removes every experiment that ended longer ago than is kept, and no other', async () => {
  const store = openStore(`sqlite://${scratchDirectory()}/retention.db`);
  const link = new StoreLink(store, log);
  await link.open();
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 3_600_000).toISOString();
  for (let day = 0; day < 30; day++) {
    await store.createExperiment(newExperiment(`e${day}`, { submittedAt: daysAgo(day) }));
    if (day !== 29) await store.cancelExperiment(`e${day}`, daysAgo(day));
  }
  await new Retention(link, { days: 7 }, log).look();
  const left = (await store.listExperiments({ limit: 100 })).map(({ id }) => id);
  expect(left).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e29']);
  await link.close();
});

it('removes the oldest that ended until the rest takes no more than is kept, and gives their space back', async () => {
  const file = `${scratchDirectory()}/retention.db`;
  const store = openStore(`sqlite://${file}`);
  const link = new StoreLink(store, log);
  await link.open();
  for (let n = 0; n < 8; n++) {
    const cell = plannedCell(n);
    await store.createExperiment(newExperiment(`e${n}`));
    await store.putPlannedCells(`e${n}`, [cell]);
    await store.commitCell(resultCommit(cell.id, n, 64, 1_400)); // 1.1 MB
    if (n > 0) await store.cancelExperiment(`e${n}`, `2026-11-0${9 - n}T00:00:00.000Z`);
  }
  const retention = new Retention(link, { megabytes: 4 }, log);
  await retention.look();
  const left = (await store.listExperiments({ limit: 100 })).map(({ id }) => id);
  expect(left).toEqual(['e2', 'e1', 'e0']); // e0 is the oldest, and runs
  expect(await store.storedBytes()).toBeLessThan(4e6);
  expect(statSync(file).size).toBeLessThan(6e6);
  await link.close();
});
