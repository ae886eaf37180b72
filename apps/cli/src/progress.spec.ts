import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from './progress.js';

beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => vi.useRealTimers());

function recorder(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  return { written, output: { write: (text: string) => written.push(text), isTTY, columns } };
}

test('elsewhere than on a terminal there is a title, a line per cell, and no control sequence', () => {
  const { written, output } = recorder(false);
  const progress = new Progress('storm', [{ variant: 'before', done: 0, total: 2 }], output);
  progress.update([{ variant: 'before', done: 1, total: 2 }], 0);
  progress.update([{ variant: 'before', done: 1, total: 2 }], 0);
  progress.update([{ variant: 'before', done: 2, total: 2 }], 1);
  progress.close();
  expect(written).toEqual([
    'storm\n',
    '1 of 2 cells (before 1/2), 0 s, 1 s left\n',
    '2 of 2 cells, 1 failed (before 2/2), 0 s\n',
  ]);
});

test('many cells give a line every ten seconds', () => {
  const { written, output } = recorder(false);
  const progress = new Progress('sweep', [{ variant: 'v4', done: 0, total: 1000 }], output);
  for (let done = 1; done <= 500; done += 1) progress.update([{ variant: 'v4', done, total: 1000 }], 0);
  vi.advanceTimersByTime(20_000);
  progress.close();
  expect(written.slice(1)).toEqual([
    '500 of 1000 cells (v4 500/1000), 10 s, 10 s left\n',
    '500 of 1000 cells (v4 500/1000), 20 s, 20 s left\n',
  ]);
});

test('on a terminal the bars are redrawn in place', () => {
  const { written, output } = recorder(true);
  const counts = (done: number) => [
    { variant: 'before', done, total: 3 },
    { variant: 'v4', done: 0, total: 3 },
  ];
  const progress = new Progress('storm', counts(0), output);
  progress.update(counts(3), 0);
  progress.close();
  expect(written).toHaveLength(2);
  expect(written[0]).toContain('before  ░░░░░░░░░░░░░░░░░░░░ 0/3');
  expect(written[1]!.startsWith('\x1b[4A')).toBe(true);
  expect(written[1]).toContain('before  ████████████████████ 3/3');
});

test('no line is wider than the terminal, so that the redraw hits the right lines', () => {
  const { written, output } = recorder(true, 20);
  new Progress(
    'a title that is much longer than the terminal',
    [{ variant: 'before', done: 0, total: 3 }],
    output,
  ).close();
  const lines = written
    .join('')
    .split('\n')
    .map((line) => line.replaceAll('\x1b[2K', '').replace('\x1b[3A', ''));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20);
});

test('the time that is left is what the caller knows', () => {
  const { written, output } = recorder(false);
  const progress = new Progress('sweep', [{ variant: 'v4', done: 0, total: 9 }], output);
  for (const [done, seconds] of [undefined, 59, 250, 7500, 0].entries()) {
    const left = seconds === undefined ? undefined : { seconds, atLeast: seconds === 250 };
    progress.update([{ variant: 'v4', done: done + 1, total: 9 }], 0, () => left);
  }
  progress.close();
  expect(written.slice(1)).toEqual([
    '1 of 9 cells (v4 1/9), 0 s\n',
    '2 of 9 cells (v4 2/9), 0 s, 59 s left\n',
    '3 of 9 cells (v4 3/9), 0 s, at least 4 min 10 s left\n',
    '4 of 9 cells (v4 4/9), 0 s, 2 h 5 min left\n',
    '5 of 9 cells (v4 5/9), 0 s, 1 s left\n',
  ]);
});

test('who begins to watch in the middle goes by the cells since then', () => {
  const { written, output } = recorder(false);
  const progress = new Progress('sweep', [{ variant: 'v4', done: 900, total: 1000 }], output);
  vi.advanceTimersByTime(9_999);
  progress.update([{ variant: 'v4', done: 950, total: 1000 }], 0);
  vi.advanceTimersByTime(1);
  progress.close();
  expect(written.slice(1)).toEqual(['950 of 1000 cells (v4 950/1000), 10 s, 10 s left\n']);
});
