// The text report of a sweep: short enough to be read, with what matters in it.
import { describe, expect, it } from 'vitest';
import { madeUp, reportOf, simulated } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import { toHtml } from './html/page.js';
import { renderSummary } from './render.js';

/** Seven points, not in order; before the patch the backlog grows with the CPUs, the wait is all noise. */
const CPUS = [16, 2, 256, 1, 96, 6, 40];
const sweep = (spec: Record<string, unknown> = {}) =>
  reportOf(
    queueScenario({ sweep: { 'machine.cpus': CPUS, 'workload.rate': [600] }, replications: 5, ...spec }),
    madeUp(({ variant, cell, replication }) => ({
      backlog_bytes: (cell.machine.cpus * 1e6 + replication * 1e4) * (variant === 'fast' ? 0.5 : 1),
      wait_p99_seconds: 0.01 + (((replication + (variant === 'fast' ? 1 : 0)) * 7) % 5) * 1e-3,
    })),
  );

describe('the text of a sweep', () => {
  it('has its points by value, and no column for an axis with one value', () => {
    const lines = renderSummary(sweep()).split('\n');
    expect(lines[0]).toMatch(/ · workload\.rate 600 · machine\.cpus 1, 2, 6, 16, 40, 96, 256$/);
    expect(lines[2]).toMatch(/^variant +machine\.cpus +wait p99 +backlog +items$/);
    const column = lines.slice(3, 17).map((line) => line.split(/ {2,}/).slice(0, 2).join(' '));
    const rows = [1, 2, 6, 16, 40, 96, 256].flatMap((cpus) => [`before ${cpus}`, `fast ${cpus}`]);
    expect(column).toEqual(rows);
  });

  it('sorts sizes by their bytes and leaves names as they came', () => {
    const report = reportOf(
      queueScenario({ sweep: { 'machine.memory': ['4GiB', '512MiB', '1GiB'] }, replications: 1 }),
      simulated,
    );
    expect(renderSummary(report)).toMatch(/machine\.memory 512MiB, 1GiB, 4GiB$/m);
    const byName = queueScenario({ sweep: { 'workload.fault': ['throw', 'none'] }, replications: 1 });
    expect(
      renderSummary(
        reportOf(
          byName,
          madeUp(() => ({})),
        ),
      ),
    ).toMatch(/workload\.fault throw, none$/m);
  });

  it('has the differences of the main metrics, a row per point, and says once what is noise', () => {
    const text = renderSummary(sweep());
    expect(text).toContain('paired difference   machine.cpus   backlog\n');
    expect(text).toMatch(/^fast - before +40 +-50 % better$/m);
    expect(text.match(/^fast - before /gm)).toHaveLength(CPUS.length);
    expect(text).toContain('within noise at every point: wait p99, items\n');
    expect(text).toContain(
      'medians of n=5 paired changes; ± is the wider side of the 95 % interval, in percentage points',
    );
    expect(text).toContain('all 21 paired differences, with their intervals, are in the report');
  });

  it('takes a change within each pair: a baseline that differs from seed to seed does not widen it', () => {
    const report = reportOf(
      queueScenario({ sweep: { 'machine.cpus': [1, 2, 4] }, replications: 5 }),
      madeUp(({ variant, replication }) => ({
        // From 1 to 16 GB; what is left of it is 30 to 34 % of each.
        backlog_bytes: 1e9 * 2 ** replication * (variant === 'fast' ? 0.3 + replication / 100 : 1),
      })),
    );
    const text = renderSummary(report);
    expect(text).toMatch(/^fast - before +4 +-68 % ±2 better$/m);
    const [entry] = report.comparisons.filter(({ metric }) => metric === 'backlog_bytes');
    expect([entry!.relative, entry!.relativeLow, entry!.relativeHigh]).toEqual([
      expect.closeTo(-0.68),
      expect.closeTo(-0.7),
      expect.closeTo(-0.66),
    ]);
  });

  it('shows a change in the digits that its interval carries', () => {
    const report = reportOf(
      queueScenario({ sweep: { 'machine.cpus': [1, 2, 4] }, replications: 5 }),
      madeUp(({ variant, replication }) => ({
        backlog_bytes: 1e9 * (variant === 'fast' ? 0.016 + replication * 5e-4 : 1),
        wait_p99_seconds: variant === 'fast' ? 0.9 + replication / 20 : 1.9,
      })),
    );
    // 98.3 % less, from 98.2 to 98.4; and 47 % less from 42 to 53, which is half of the others' digits.
    expect(renderSummary(report)).toMatch(/^fast - before +4 +-47 % ±5 better +-98\.3 % ±0\.1 better$/m);
  });

  it('never says that something is gone when a little is left', () => {
    const report = reportOf(
      queueScenario({ sweep: { 'machine.cpus': [1, 2, 4] }, replications: 5 }),
      madeUp(({ variant, replication }) => ({ wait_p99_seconds: (1 + replication) * (variant === 'fast' ? 6e-4 : 1) })),
    );
    expect(renderSummary(report)).toMatch(/^fast - before +4 +-99\.94 % better$/m);
  });

  it('has no column for a metric that differs by less than 1 % everywhere, and names it', () => {
    const report = reportOf(
      queueScenario({ sweep: { 'machine.cpus': CPUS }, replications: 5 }),
      madeUp(({ variant, replication }) => ({
        backlog_bytes: (1e9 + replication) * (variant === 'fast' ? 0.5 : 1),
        wait_p99_seconds: (1 + replication) * (variant === 'fast' ? 0.999 : 1),
      })),
    );
    const text = renderSummary(report);
    expect(text).toMatch(/^paired difference +machine\.cpus +backlog$/m);
    expect(text).toContain('less than 1 % at every point: wait p99\n');
  });

  it('says once that there are too few replications, and shows no difference then', () => {
    const text = renderSummary(sweep({ replications: 2 }));
    expect(text.match(/too few replications/gi)).toEqual(['Too few replications']);
    expect(text).not.toContain('fast - before');
  });

  it('has a row for a threshold that holds everywhere, and one for each point where it fails', () => {
    const text = renderSummary(
      sweep({ thresholds: { 'backlog_bytes{variant:before}': ['max<90MB'], items_total: ['min>1'] } }),
    );
    expect(text).toMatch(/^backlog_bytes before, 5 of 7 points +max<90MB +1\.04 MB to 40\.04 MB +n=5 +ok$/m);
    expect(text).toMatch(/^backlog_bytes before machine\.cpus=96 +max<90MB +96\.04 MB +n=5 +FAILED$/m);
    expect(text).toMatch(/^backlog_bytes before machine\.cpus=256 +max<90MB +256 MB +n=5 +FAILED$/m);
    expect(text).toMatch(/^items_total before, all 7 points +min>1 +2,000 +n=5 +ok$/m);
  });

  it('of hundreds of points shows some, both ends among them, and says so', () => {
    const many = sweep({ sweep: { 'machine.cpus': { from: 1, to: 300, step: 1 } }, replications: 3 });
    const text = renderSummary(many);
    expect(text.split('\n').length).toBeLessThan(200);
    expect(text).toContain('50 of 300 points; all are in the report');
    expect(text).toContain('48 of 300 rows');
    expect(text).toMatch(/^before +1 /m);
    expect(text).toMatch(/^fast +300 /m);
    expect(text).toMatch(/^fast - before +300 /m);
  });

  it('names of the workload only what all points share', () => {
    const report = sweep({ sweep: { 'workload.items': [20, 40] } });
    expect(report.workload).toBe('');
    expect(renderSummary(report).split('\n')[0]).toMatch(/^queue-test {3}4 CPUs · /);
    expect(sweep().workload).toMatch(/items$/);
  });
});

describe('the page of a sweep', () => {
  const report = sweep({ thresholds: { 'backlog_bytes{variant:before}': ['max<90MB'] } });
  const page = toHtml(report);
  const section = (id: string) => new RegExp(`<h2 id="${id}">[^]*?</section>`).exec(page)![0];

  it('says in its head what failed', () => {
    const [head] = page.split('<nav');
    expect(head).toContain('<li>backlog_bytes of before machine.cpus=96 is 96.04 MB, expected max&lt;90MB</li>');
    expect(head!.match(/<li>/g)).toHaveLength(2);
    expect(toHtml(sweep()).split('<nav')[0]).not.toContain('<li>');
  });

  it('begins with the chart of the metric that tells the variants apart', () => {
    const titles = [...section('sweep').matchAll(/<figcaption>([^<]*)/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'backlog, median and 95 % interval',
      'wait p99, median and 95 % interval',
      'items, median and 95 % interval',
    ]);
  });

  it.each([
    ['grows by less than a linear axis can show', (cpus: number) => cpus * 1e6, 'backlog, median and 95 % interval'],
    ['grows by more', (cpus: number) => cpus ** 2 * 1e6, 'backlog, median and 95 % interval, logarithmic'],
    ['is 0 somewhere', (cpus: number) => (cpus - 1) ** 2 * 1e6, 'backlog, median and 95 % interval'],
  ])('takes a logarithmic axis where a curve needs one: it %s', (_, backlog, title) => {
    const made = reportOf(
      queueScenario({ sweep: { 'machine.cpus': CPUS }, replications: 3 }),
      madeUp(({ variant, cell }) => ({
        backlog_bytes: variant === 'fast' ? 1e3 : backlog(cell.machine.cpus),
        items_total: 0,
      })),
    );
    const [sweepPart] = /<h2 id="sweep">[^]*?<\/section>/.exec(toHtml(made))!;
    expect(/<figcaption>([^<]*)/.exec(sweepPart)![1]).toBe(title);
    // What is nothing everywhere has no chart.
    expect(sweepPart.match(/<figcaption>/g)).toHaveLength(1);
    expect(sweepPart).toContain('0 at every point: wait p99, items.');
  });

  it('has a row of differences per point, and all of them folded', () => {
    const [short, full] = section('differences').split('<details>');
    expect(short!.match(/<td>fast less before<\/td>/g)).toHaveLength(CPUS.length);
    expect(short).toContain('-50 % better');
    expect(short).toContain('Within noise at every point: wait p99, items.');
    expect(full!.match(/ less before<\/td>/g)).toHaveLength(3 * CPUS.length);
  });
});

it('the page folds the figures that do not apply', () => {
  const page = toHtml(sweep());
  const [section] = /<h2 id="published">[^]*?<\/section>/.exec(page)!;
  expect(section).toMatch(/<summary>2 published figures do not apply here<\/summary>[^]*needs machine\.cpus/);
  expect(section.split('<details>')[0]).not.toContain('<table');
});

it('the page too has no axis with one value, and its points by value', () => {
  const page = toHtml(sweep());
  expect(page).not.toContain('workload.rate=600');
  const order = [...page.matchAll(/<td>before<\/td><td class="number">(\d+)/g)].map(([, cpus]) => Number(cpus));
  expect(order.slice(0, 7)).toEqual([1, 2, 6, 16, 40, 96, 256]);
});
