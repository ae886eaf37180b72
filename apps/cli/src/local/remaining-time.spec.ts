// The estimate against what really came, with cells on workers in virtual time.
import type { PlannedCell } from '@kworkbench/experiment';
import { describe, expect, test } from 'vitest';
import { RemainingTime } from './remaining-time.js';

type Times = readonly (readonly [
  variant: string,
  point: Record<string, number | string>,
  seconds: readonly number[],
])[];

/**
 * Wall seconds of `kwb run netns-unshare-storm --sweep machine.cpus=2,6,16,40,96,256 --replications 5`, replication by
 * replication, from the outcomes of a run on two cores that others used as well. The storm changes its kind between 16
 * and 40 CPUs: there its cost grows tenfold.
 */
const STORM: Times = [
  ['before', { 'machine.cpus': 2 }, [2.67, 3.71, 2.06, 1.09, 0.91]],
  ['v4', { 'machine.cpus': 2 }, [0.37, 0.93, 0.64, 0.15, 0.52]],
  ['before', { 'machine.cpus': 6 }, [1.01, 1.05, 0.87, 0.4, 1.01]],
  ['v4', { 'machine.cpus': 6 }, [0.17, 0.32, 0.4, 0.18, 0.18]],
  ['before', { 'machine.cpus': 16 }, [0.42, 0.52, 0.58, 0.56, 0.58]],
  ['v4', { 'machine.cpus': 16 }, [0.39, 0.16, 0.42, 0.3, 0.4]],
  ['before', { 'machine.cpus': 40 }, [4.3, 3.38, 3.59, 3.96, 3.64]],
  ['v4', { 'machine.cpus': 40 }, [0.64, 0.65, 0.67, 0.62, 0.72]],
  ['before', { 'machine.cpus': 96 }, [14.84, 16.58, 19.28, 11.99, 13.64]],
  ['v4', { 'machine.cpus': 96 }, [1.05, 1.13, 1.09, 1.1, 1.02]],
  ['before', { 'machine.cpus': 256 }, [44.68, 43.39, 36.54, 27.72, 24.16]],
  ['v4', { 'machine.cpus': 256 }, [3.24, 2.6, 1.41, 1.48, 1.56]],
];

interface Job {
  readonly cell: PlannedCell;
  readonly seconds: number;
}

/** In the order in which planRound plans. */
function jobsOf(times: Times): Job[] {
  return times
    .flatMap(([variant, point, seconds]) =>
      seconds.map((each, replication) => {
        const id = `${variant} ${JSON.stringify(point)} ${replication}`;
        return { cell: { id, variant, point, replication } as PlannedCell, seconds: each };
      }),
    )
    .toSorted((a, b) => a.cell.replication - b.cell.replication);
}

interface Look {
  readonly left: number;
  readonly estimate: number | undefined;
  readonly atLeast: boolean;
}

const STEP = 0.01;

/** Runs the jobs and looks at the estimate every second. */
function looksAt(jobs: readonly Job[], workers: number, reused: readonly Job[] = []): Look[] {
  let now = 0;
  const remaining = new RemainingTime(workers, () => now);
  for (const { cell } of [...reused, ...jobs]) remaining.planned(cell);
  for (const { cell, seconds } of reused) remaining.ended(cell, seconds);
  const waiting = [...jobs];
  const running: { job: Job; until: number }[] = [];
  const looks: { at: number; estimate: number | undefined; atLeast: boolean }[] = [];
  for (let step = 0; waiting.length > 0 || running.length > 0; step += 1, now = step * STEP) {
    for (const done of running.filter(({ until }) => until <= now)) {
      remaining.ended(done.job.cell, remaining.elapsedSeconds(done.job.cell));
      running.splice(running.indexOf(done), 1);
    }
    while (waiting.length > 0 && running.length < workers) {
      const job = waiting.shift()!;
      remaining.started(job.cell);
      running.push({ job, until: now + job.seconds });
    }
    if (step % 100 !== 99 || running.length === 0) continue;
    const found = remaining.estimate();
    looks.push({ at: now, estimate: found?.seconds, atLeast: found?.atLeast ?? true });
  }
  return looks.map(({ at, estimate, atLeast }) => ({ left: now - at, estimate, atLeast }));
}

const uniform = (seconds: number): Times => [
  ['before', { 'machine.cpus': 40 }, Array.from({ length: 40 }, () => seconds)],
  ['v4', { 'machine.cpus': 40 }, Array.from({ length: 40 }, () => seconds)],
];

describe('the remaining time of the recorded sweep', () => {
  test.each([1, 2, 4])(
    'with %d workers is off by what replications differ once every point has been seen, and says so',
    (workers) => {
      const all = looksAt(jobsOf(STORM), workers);
      const looks = all.filter(({ atLeast }) => !atLeast);
      expect(looks.length).toBeGreaterThan(20);
      // Cells of 256 CPUs take from 24.2 to 44.7 s: the last one may surprise by the difference. The first took 44.7 s,
      // those that follow 33 s on average, and they are most of the sweep: a quarter of all of it.
      const surprise = Math.max(44.7 - 24.2, 0.25 * all[0]!.left);
      for (const { left, estimate } of looks) expect(Math.abs(estimate! - left)).toBeLessThan(surprise);
    },
  );

  test('is a lower bound that is called one while points have not been seen', () => {
    const looks = looksAt(jobsOf(STORM), 2);
    const bounds = looks.filter(({ atLeast, estimate }) => atLeast && estimate !== undefined);
    expect(bounds.length).toBeGreaterThan(10);
    // 96 CPUs in proportion are 39.6 s for 256; the cells that come after the first there take 33 s on average.
    for (const { left, estimate } of bounds) expect(estimate).toBeLessThan(1.25 * left);
    expect(looks.findIndex(({ atLeast }) => !atLeast)).toBeLessThan(0.6 * looks.length);
  });

  test('falls: it never rises by more than a tenth of what is left once every point has been seen', () => {
    const looks = looksAt(jobsOf(STORM), 2).filter(({ atLeast }) => !atLeast);
    const rises = looks.slice(1).map(({ estimate, left }, i) => {
      const before = looks[i]!.estimate!;
      return (estimate! - before) / Math.max(20, left);
    });
    expect(Math.max(...rises)).toBeLessThan(0.1);
  });

  test('is never nothing while a cell is open', () => {
    for (const { estimate } of looksAt(jobsOf(STORM), 2)) expect(estimate ?? 1).toBeGreaterThan(0.05);
  });

  test('is known from the start for whoever resumes', () => {
    const jobs = jobsOf(STORM);
    const [first] = looksAt(jobs.slice(12), 2, jobs.slice(0, 12));
    expect(first!.atLeast).toBe(false);
    expect(first!.estimate! / first!.left).toBeGreaterThan(0.67);
    expect(first!.estimate! / first!.left).toBeLessThan(1.5);
  });
});

test('equal cells give the time to the second', () => {
  for (const { estimate, left } of looksAt(jobsOf(uniform(3)), 2).filter((look) => look.estimate !== undefined)) {
    expect(Math.abs(estimate! - left)).toBeLessThanOrEqual(1.6);
  }
});

test('a single long cell at the end is not divided among the workers', () => {
  const times: Times = [
    ['before', { 'machine.cpus': 1 }, [10]],
    ['before', { 'machine.cpus': 2 }, [20]],
    ['before', { 'machine.cpus': 4 }, [40]],
  ];
  const last = looksAt(jobsOf(times), 8).find(({ left }) => left < 20)!;
  // 10 and 20 seconds have been seen: twice as many CPUs take twice as long.
  expect(Math.abs(last.estimate! - last.left)).toBeLessThan(0.1);
});

describe('a point that has not been seen', () => {
  const PATH = 'machine.memory';
  test.each<[string, Times, string, number]>([
    ['costs what the nearest does before there are two', [['v4', { [PATH]: '512MiB' }, [2]]], '2GiB', 2],
    [
      'goes on as the two nearest points grew, sizes by their bytes',
      [
        ['v4', { [PATH]: '512MiB' }, [2]],
        ['v4', { [PATH]: '2GiB' }, [4]],
      ],
      '8GiB',
      8,
    ],
    [
      'grows in proportion at most',
      [
        ['v4', { [PATH]: '1GiB' }, [2]],
        ['v4', { [PATH]: '2GiB' }, [8]],
      ],
      '4GiB',
      16,
    ],
    [
      'does not cost less where the cost fell',
      [
        ['v4', { [PATH]: '1GiB' }, [8]],
        ['v4', { [PATH]: '2GiB' }, [2]],
      ],
      '4GiB',
      2,
    ],
    ['of a variant that has not been seen costs what the others do', [['before', { [PATH]: '1GiB' }, [3]]], '1GiB', 3],
  ])('%s', (_, seen, point, seconds) => {
    const remaining = new RemainingTime(1, () => 0);
    for (const job of jobsOf(seen)) remaining.ended(job.cell, job.seconds);
    remaining.planned({ id: 'x', variant: 'v4', point: { [PATH]: point }, replication: 0 } as unknown as PlannedCell);
    expect(remaining.estimate()).toEqual({ seconds: expect.closeTo(seconds, 6), atLeast: true });
  });
});
