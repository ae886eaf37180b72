// The simulator core beside the simulators that one could take instead, all in one run: CPU time, one core, five
// interleaved rounds and more of what was disturbed, median of all slices in which nobody else used the core. README.md
// says how to install the others and how to read what this prints.
// Usage: node bench/run.mjs [--only id,...] [--rounds n] [--cpu n] [--json file|-]     Exit: 1 when a bar is missed.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchmarks } from './lib/benchmarks.mjs';
import { findContenders } from './lib/contenders.mjs';
import { barsOf, checksOf, summarize } from './lib/judge.mjs';
import { ENOUGH_SLICES, notePaces, undisturbedRatesOf } from './lib/undisturbed.mjs';

const ROUNDS = 5;
/** A row that was disturbed gets more rounds until it has taken so long, and so many at most for each that is asked for. */
const REPEAT_MS = 25_000;
const TRIES = 4;
/** Ends a run that went wrong. SimGrid takes two minutes of wall time to create a million actors. */
const RUN_LIMIT_MS = 300_000;
/** A contender whose first round takes longer than this is not asked for more: its set-up would fill the day. */
const ONE_ROUND_MS = 40_000;

const root = join(import.meta.dirname, '..');

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: String(ROUNDS) },
      cpu: { type: 'string', default: String(availableParallelism() - 1) },
      json: { type: 'string' },
    },
  });
  const only = values.only?.split(',');
  const ids = benchmarks.map(({ id }) => id);
  const unknown = only?.find((id) => !ids.includes(id));
  if (unknown !== undefined) fail(`--only: expected some of ${ids.join(', ')}, got ${unknown}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds: expected an integer from 1, got ${values.rounds}`);
  if (!/^\d+$/.test(values.cpu)) fail(`--cpu: expected the number of a CPU, got ${values.cpu}`);
  return {
    selected: benchmarks.filter(({ id }) => only?.includes(id) ?? true),
    rounds,
    cpu: values.cpu,
    json: values.json,
  };
}

/** Compiles the packages that are measured. */
function build() {
  const tsc = join(root, 'node_modules/.bin/tsc');
  if (!existsSync(tsc)) fail('node modules are missing: run ./kwb once, or npm ci');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-b', 'libs/experiment'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) fail(`the workspace does not compile: ${stdout.trim().split('\n', 1)[0]}`);
}

function runOnce(contender, benchmark, row, pin) {
  const { command } = contender;
  const words = typeof command === 'function' ? command(benchmark.program) : command;
  const size = row.size ?? benchmark.size;
  const args = [benchmark.program, size, row.operations, benchmark.warmup, row.variant].map(String);
  const [program, ...rest] = [...pin, ...words, ...args];
  const { status, signal, stdout, stderr } = spawnSync(program, rest, {
    encoding: 'utf8',
    timeout: RUN_LIMIT_MS,
    cwd: import.meta.dirname,
  });
  if (signal === 'SIGTERM') return { problem: `did not end within ${RUN_LIMIT_MS / 1000} s` };
  const last = stdout.trim().split('\n').at(-1);
  if (status !== 0 || !last.startsWith('{')) {
    const error =
      stderr.split('\n').find((line) => /error|exception|cannot/i.test(line)) ?? stderr.trim().split('\n', 1)[0];
    return { problem: `ended with ${signal ?? status}: ${error}` };
  }
  return { line: JSON.parse(last) };
}

/** One line on a terminal that rewrites itself; nothing where nobody watches. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Whether a row needs another round, after so many ms of them. */
function isOpen(row, runs, rounds, tookMs) {
  if (runs.length < rounds) return true;
  const wantsMore = runs[0].slices !== undefined && undisturbedRatesOf(row.contender, runs).length < ENOUGH_SLICES;
  return wantsMore && tookMs < REPEAT_MS;
}

/** All rounds of a benchmark, contenders in turn. */
function measure(benchmark, contenders, { rounds, pin }) {
  const active = benchmark.rows.filter((row) => contenders[row.contender].missing === undefined);
  const runs = new Map(active.map((row) => [row, []]));
  const problems = [];
  const slow = new Set();
  const tookMs = new Map(active.map((row) => [row, 0]));
  for (let round = 1; round <= TRIES * rounds; round++) {
    for (const [row, done] of runs) {
      if (slow.has(row) || !isOpen(row, done, rounds, tookMs.get(row))) continue;
      progress(`${benchmark.id}: round ${round}, ${row.label}`);
      const startedMs = performance.now();
      const { line, problem } = runOnce(contenders[row.contender], benchmark, row, pin);
      if (problem !== undefined) {
        problems.push(`${row.label}: ${problem}`);
        runs.delete(row);
        continue;
      }
      notePaces(row.contender, line);
      done.push(line);
      const ms = performance.now() - startedMs;
      tookMs.set(row, tookMs.get(row) + ms);
      if (ms > ONE_ROUND_MS) slow.add(row);
    }
  }
  progress('');
  return { rows: [...runs].map(([row, done]) => summarize(benchmark, row, done)), problems };
}

function noteOf({ rounds: had, disturbed, slices }, rounds) {
  if (disturbed) return `  (disturbed in all of ${had} rounds)`;
  if (had < rounds) return `  (${had} of ${rounds} rounds)`;
  return slices === undefined ? '' : `  (${slices} slices of ${had} rounds)`;
}

function print(benchmark, { rows, problems, checks, bars }, rounds) {
  const scale = benchmark.scale ?? (benchmark.allocation ? 1 : 1e6);
  const digits = benchmark.allocation || scale === 1e6 ? 2 : 0;
  console.log(`\n${benchmark.title}  [${benchmark.id}]`);
  console.log(`  ${''.padEnd(48)} ${benchmark.unit.padStart(12)}   middle half`);
  for (const row of rows) {
    const [value, low, high] = [row.value, row.low, row.high].map((number) => (number / scale).toFixed(digits));
    const note = noteOf(row, rounds);
    console.log(`  ${row.label.padEnd(48)} ${value.padStart(12)}   ${low}..${high}${note}`);
  }
  for (const problem of problems) console.log(`  left out  ${problem}`);
  for (const { ok, text } of checks) console.log(`  ${ok ? 'check ok ' : 'CHECK BAD'} ${text}`);
  for (const { ok, text } of bars) {
    console.log(`  ${ok === undefined ? '-        ' : ok ? 'bar met  ' : 'BAR MISSED'} ${text}`);
  }
}

const { selected, rounds, cpu, json } = options();
// With `--json -`, stdout is for JSON only.
if (json === '-') console.log = console.error;
build();
const contenders = findContenders();
const canPin = spawnSync('taskset', ['-c', cpu, 'true']).status === 0;
const pin = canPin ? ['taskset', '-c', cpu] : [];
const load = loadavg()[0].toFixed(1);
console.log(`host: ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} CPUs, load average ${load}`);
console.log(
  `CPU time of the process, median of ${rounds} rounds' undisturbed slices; ${canPin ? `all on CPU ${cpu}` : `not pinned: no taskset, or no CPU ${cpu}`}`,
);
for (const { title, version, missing } of Object.values(contenders)) {
  console.log(missing === undefined ? `  ${title}: ${version}` : `  ${title}: skipped: ${missing}`);
}

const results = selected.map((benchmark) => {
  const { rows, problems } = measure(benchmark, contenders, { rounds, pin });
  const result = { rows, problems, checks: checksOf(benchmark, rows), bars: barsOf(benchmark, rows) };
  print(benchmark, result, rounds);
  return { id: benchmark.id, title: benchmark.title, unit: benchmark.unit, ...result };
});

const bars = results.flatMap((result) => result.bars).filter(({ info }) => info !== true);
const missed = bars.filter(({ ok }) => ok === false).length;
const broken = results.flatMap((result) => result.checks).filter(({ ok }) => !ok).length;
const open = bars.filter(({ ok }) => ok === undefined).length;
console.log(
  `\n${bars.length} bars: ${bars.length - missed - open} met, ${missed} missed, ${open} not compared; ${broken} checks failed`,
);
if (json !== undefined) {
  const text = `${JSON.stringify({ load: Number(load), pinned: canPin, rounds, contenders, results }, undefined, 2)}\n`;
  if (json === '-') process.stdout.write(text);
  else writeFileSync(json, text);
}
process.exitCode = missed + broken > 0 ? 1 : 0;
