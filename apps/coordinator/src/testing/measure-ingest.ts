// Prints how many samples a second come over gRPC into the store, and how much memory that takes while the store stands
// still. Started by bench/ingest.mjs. The publisher is a process of its own, as a service is; a sample is a row of time
// and two values. Both databases write to the system's temporary directory with their durable settings.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, GrpcHost, Publisher } from '@kworkbench/service-host';
import { TelemetryDigest, type Frame, type TelemetryHeader } from '@kworkbench/telemetry';
import { Ingest } from '../ingest-grpc.js';
import { CoordinatorMetrics } from '../metrics.js';
import { StoreLink } from '../store-link.js';
import { openStore } from '../store/index.js';
import { TemporaryPostgres } from '../store/testing/temporary-postgres.js';

const ROUNDS = 5;
const CELLS = 12;
const CELLS_AT_ONCE = 2;
const FRAMES = 600;
/** What a recorder fills. */
const ROWS = 512;
const SAMPLES = CELLS * FRAMES * ROWS;

const column = (name: string) => ({ name, unit: 'seconds' as const, help: '' });
const HEADER: TelemetryHeader = {
  tables: [{ name: 't', help: '', columns: ['time_seconds', 'wait_seconds', 'held_seconds'].map(column) }],
};

/** The publisher's process: argv[3] is the address, argv[4] sets the cells of a round apart. */
async function publish(target: string, round: number): Promise<void> {
  const publisher = new Publisher(target, 'bench');
  const frames = Array.from({ length: FRAMES }, (_, sequence): Frame => {
    const columns = [1, 2, 3].map((factor) =>
      Float64Array.from({ length: ROWS }, (_, row) => (sequence * ROWS + row) / factor),
    );
    return { sequence, table: 0, rows: ROWS, columns };
  });
  const outcome = { metrics: {}, histograms: [], virtualSeconds: 1, events: 1 };
  const hash = new TelemetryDigest();
  hash.header(HEADER);
  for (const frame of frames) hash.frame(frame);
  const digest = hash.outcome(outcome);
  let next = 0;
  const one = async () => {
    while (next < CELLS) {
      const cellId = (round * CELLS + next++).toString(16).padStart(32, '0');
      const publication = publisher.open({ cellId, experimentId: '', mechanism: 'bench' }, 600_000);
      publication.header(HEADER);
      for (const frame of frames) await publication.frame(frame);
      await publication.result({ ...outcome, cellId, digest, wallSeconds: 1 });
    }
  };
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  await Promise.all(Array.from({ length: CELLS_AT_ONCE }, one));
  publisher.close();
  process.exit();
}

async function measure(database: string, url: string): Promise<void> {
  const log = createLogger('bench', 'warn');
  const store = openStore(url);
  const link = new StoreLink(store, log);
  await link.open();
  const ingest = new Ingest(link, new CoordinatorMetrics(), () => {}, log);
  const host = new GrpcHost([ingest.hosted]);
  const target = `127.0.0.1:${await host.listen('127.0.0.1', 0)}`;
  const rates: number[] = [];
  let cpuMicros = 0;
  let held = 0;
  const looking = setInterval(() => (held = Math.max(held, ingest.heldBytes)), 1);
  for (let round = 0; round < ROUNDS; round++) {
    const child = spawn(process.execPath, [import.meta.filename, 'publish', target, String(round)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const cpu = process.cpuUsage();
    const begunMs = performance.now();
    child.stdin.write('go\n');
    await once(child, 'exit');
    rates.push(SAMPLES / ((performance.now() - begunMs) / 1_000));
    const used = process.cpuUsage(cpu);
    cpuMicros += used.user + used.system;
  }
  clearInterval(looking);
  const rate = rates.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  const perSample = (cpuMicros * 1_000) / (SAMPLES * ROUNDS);
  process.stdout.write(
    `${database.padEnd(11)} ${(rate / 1e6).toFixed(2)} M samples/s (${((rate * 24) / 1e6).toFixed(0)} MB/s)   ` +
      `coordinator ${perSample.toFixed(0)} ns CPU a sample   held at most ${(held / 2 ** 20).toFixed(0)} MiB\n`,
  );
  await host.close(1_000);
  await store.close();
}

async function measureAll(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'kworkbench-bench-'));
  const postgres = await TemporaryPostgres.start({ durable: true });
  try {
    await measure('SQLite', `sqlite://${directory}/store.db`);
    await measure('PostgreSQL', await postgres.createDatabase());
  } finally {
    await postgres.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.filename === process.argv[1]) {
  if (process.argv[2] === 'publish') await publish(process.argv[3]!, Number(process.argv[4]));
  else await measureAll();
}
