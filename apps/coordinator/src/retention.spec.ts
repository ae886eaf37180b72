import { createLogger } from '@kworkbench/service-host';
import { afterAll, expect, it } from 'vitest';
import { Retention } from './retention.js';
import { StoreLink } from './store-link.js';
import { openStore } from './store/index.js';
import { newExperiment } from './store/testing/fixtures.js';
import { endEverything, scratchDirectory } from './testing/processes.js';

afterAll(endEverything);

it('removes every experiment that ended longer ago than is kept, and no other', async () => {
  const log = createLogger('test', 'silent');
  const store = openStore(`sqlite://${scratchDirectory()}/retention.db`);
  const link = new StoreLink(store, log);
  await link.open();
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 3_600_000).toISOString();
  for (let day = 0; day < 30; day++) {
    await store.createExperiment(newExperiment(`e${day}`, { submittedAt: daysAgo(day) }));
    if (day !== 29) await store.cancelExperiment(`e${day}`, daysAgo(day));
  }
  await new Retention(link, undefined, log).removeOld(7);
  const left = (await store.listExperiments({ limit: 100 })).map(({ id }) => id);
  expect(left).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e29']);
  await link.close();
});
