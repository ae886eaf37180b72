// Prints what it costs to run a sweep through the services instead of in one process, and what a second replica brings.
// Started by bench/distribution.mjs. Both keep what the cells say: a run directory here, the store there. Wall time from submission to end, and CPU time of all processes that take part:
// on a machine that does other work as well, only the second one can be compared.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  buildReport,
  CellPool,
  collectProvenance,
  parseScenario,
  RunDirectory,
  runExperiment,
} from '@kworkbench/experiment';
import { startCoordinator, TestClient } from './cluster.js';
import { endEverything, killed, scratchDirectory, TestProcess, TestRedis, untilReady } from './processes.js';

const CELLS = Number(process.argv[2] ?? 1_000);
const SERVICE = '../../netns-teardown/dist/main.js';
const CLOCK_TICKS_PER_SECOND = 100;

const sweep = (seed: number) => `apiVersion: kworkbench/v1
kind: Scenario
metadata: { name: many-small-cells }
spec:
  mechanism: netns
  machine: { profile: deb510-40cpu }
  workload: { cycles: 5000 }
  variants: [before, v4]
  seed: ${seed}
  replications: ${CELLS / 2}
`;

interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/** CPU seconds that the processes have used, their threads included. */
function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  }, 0);
}

async function costOf(pids: readonly number[], work: () => Promise<unknown>): Promise<Cost> {
  const cpu = cpuSecondsOf(pids);
  const begunMs = performance.now();
  await work();
  return { wallSeconds: (performance.now() - begunMs) / 1_000, cpuSeconds: cpuSecondsOf(pids) - cpu };
}

/**
 * As `kwb run` does it: telemetry, outcomes and the report in all its forms are kept in a run directory. Or the least that
 * the cells can cost: nothing of them is kept but the report, in memory.
 */
async function locally(workers: number, seed: number, kept: boolean): Promise<Cost> {
  const pool = new CellPool({ workers });
  await runExperiment(parseScenario(sweep(seed + 1_000), 'warm-up', { replications: 4 }), { pool });
  const scenario = parseScenario(sweep(seed), 'bench');
  const provenance = collectProvenance();
  const directory = kept ? await RunDirectory.create(scratchDirectory(), scenario, new Date()) : undefined;
  const cost = await costOf([process.pid], async () => {
    const run = await runExperiment(scenario, {
      pool,
      ...(directory && {
        sinkFor: directory.sinkFor,
        keep: (planned, result) => directory.finish(planned, result),
      }),
    });
    const report = buildReport({ scenario, ...run, wallSeconds: 0, provenance });
    await directory?.writeReport(report);
  });
  await pool.close();
  return cost;
}

/** From now on all threads of the process run on this CPU alone. */
function pin(pid: number, cpu: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)], { stdio: 'ignore' });
}

/**
 * @param pinned each replica has a CPU of its own, as a pod of one CPU has; with one replica the coordinator and Redis
 * are on the same one, or a second replica would come with less than a second CPU.
 */
async function throughServices(replicas: number, workers: number, seed: number, pinned = false): Promise<Cost> {
  const redis = await TestRedis.start('append-only');
  const coordinator = startCoordinator(redis);
  const { http, grpc } = await coordinator.ports();
  await untilReady(http, true);
  const services = Array.from(
    { length: replicas },
    () =>
      new TestProcess(SERVICE, {
        KWB_REDIS_URL: redis.url,
        KWB_COORDINATOR_GRPC: grpc,
        KWB_WORKERS: String(workers),
        KWB_LOG_LEVEL: 'warn',
      }),
  );
  const client = new TestClient(grpc);
  const warm = await client.submit(sweep(seed + 1_000).replace(/replications: \d+/, 'replications: 4'));
  await client.watch(warm.id);
  const shared = [redis.pid, coordinator.child.pid!];
  const replicaPids = services.map(({ child }) => child.pid!);
  if (pinned) for (const [index, pid] of replicaPids.entries()) pin(pid, index % availableParallelism());
  if (pinned && replicas === 1) for (const pid of shared) pin(pid, 0);
  const pids = [...shared, ...replicaPids];
  const cost = await costOf(pids, async () => client.watch((await client.submit(sweep(seed))).id));
  client.close();
  for (const { child } of [...services, coordinator]) await killed(child, 'SIGKILL');
  await redis.stop();
  return cost;
}

const line = (what: string, { wallSeconds, cpuSeconds }: Cost) =>
  process.stdout.write(
    `${what.padEnd(36)} ${wallSeconds.toFixed(1).padStart(6)} s   ${cpuSeconds.toFixed(1).padStart(6)} s CPU\n`,
  );
const percent = (a: number, b: number) => `${(100 * (a / b - 1)).toFixed(1)} %`;

if (import.meta.filename === process.argv[1]) {
  process.stdout.write(`${CELLS} cells of netns, ${availableParallelism()} CPUs\n`);
  const bare = await locally(2, 1, false);
  line('one process, nothing kept', bare);
  const local = await locally(2, 1, true);
  line('one process, run directory', local);
  const one = await throughServices(1, 2, 1);
  line('services, one replica, two workers', one);
  const costs = (base: Cost) =>
    `${percent(one.wallSeconds, base.wallSeconds)} of wall time, ${percent(one.cpuSeconds, base.cpuSeconds)} of CPU time`;
  process.stdout.write(`distributing costs ${costs(local)}; beside cells of which nothing is kept ${costs(bare)}\n`);
  const single = await throughServices(1, 1, 1, true);
  line('one replica, all on one CPU', single);
  const double = await throughServices(2, 1, 1, true);
  line('two replicas, all on two CPUs', double);
  process.stdout.write(
    `two replicas on two CPUs are ${(single.wallSeconds / double.wallSeconds).toFixed(2)} times one on one\n`,
  );
  await endEverything();
}
