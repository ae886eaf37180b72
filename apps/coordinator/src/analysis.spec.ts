// The coordinator while it judges a large experiment. Build before running this file alone.
import { ExperimentState } from '@kworkbench/contracts';
import { planRound, parseScenario, registerMechanism, runCell, type CellResult } from '@kworkbench/experiment';
import { MemorySink } from '@kworkbench/telemetry';
import { afterAll, expect, it } from 'vitest';
import { openStore } from './store/index.js';
import { metric, scenarioYaml, startCoordinator, TestClient } from './testing/cluster.js';
import { endEverything, eventually, scratchDirectory, TestRedis, untilReady } from './testing/processes.js';
import { queueMechanism } from './testing/queue-mechanism.js';

const LIMIT_MS = 120_000;
/** Of perf_hooks' monitorEventLoopDelay, since it was asked last. */
const LONGEST_DELAY = 'nodejs_eventloop_lag_max_seconds';
/** On the event loop the report alone takes 1.1 s of CPU; beside it the loop waits at most for a core. */
const LONGEST_DELAY_SECONDS = 0.5;

afterAll(endEverything);

it('judges an experiment of 1,000 cells while its event loop goes on turning', { timeout: LIMIT_MS }, async () => {
  registerMechanism(await queueMechanism());
  const document = scenarioYaml(
    'workload: { items: 20 }, variants: [before, fast], replications: 5, sweep: { workload.rate: { from: 100, to: 199, step: 1 } }',
  );
  const redis = await TestRedis.start();
  const directory = scratchDirectory();
  const coordinator = startCoordinator(redis, { KWB_DATA_DIR: directory });
  const { http, grpc } = await coordinator.ports();
  await untilReady(http, true);
  const client = new TestClient(grpc);
  const { id, cellsTotal } = await client.submit(document);
  expect(cellsTotal).toBe(1_000);

  // No service runs: the results come into the store from here, and the coordinator finds them at its next look.
  const store = openStore(`sqlite://${directory}/kworkbench.db`);
  const planned = planRound(parseScenario(document, 'test'), new Map());
  const commit = async ({ id: cellId, cell }: (typeof planned)[number]) => {
    const sink = new MemorySink();
    const result: CellResult = runCell(cellId, cell, sink);
    await store.commitCell({ cellId, mechanism: 'queue', header: sink.headers[0]!, frames: sink.frames, result });
  };
  for (const one of planned.slice(1)) await commit(one);
  await metric(http, LONGEST_DELAY);
  await commit(planned[0]!);
  await store.close();

  let asked = 0;
  const ended = await eventually('the end of the experiment', async () => {
    asked += Number((await fetch(`${http}/healthz`)).ok);
    const experiment = await client.get(id);
    return experiment.state !== ExperimentState.RUNNING && experiment;
  });
  const delay = await metric(http, LONGEST_DELAY);
  expect(ended).toMatchObject({ state: ExperimentState.COMPLETED, cellsDone: 1_000 });
  expect((await client.report(id)).cells).toHaveLength(1_000);
  expect(asked).toBeGreaterThan(1);
  expect(delay).toBeLessThan(LONGEST_DELAY_SECONDS);
  client.close();
});
