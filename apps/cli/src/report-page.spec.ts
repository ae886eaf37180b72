/// <reference lib="dom" />
// The page of a run in a real browser (Debian's chromium): it opens from a file, loads nothing, and can be read by
// everybody, light and dark, wide and narrow, with a keyboard.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXPORT_FORMATS } from '@kworkbench/experiment';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kwb } from './testing/kwb.js';

const CHROMIUM = process.env['KWB_CHROMIUM'] ?? '/usr/bin/chromium';
const folder = mkdtempSync(join(tmpdir(), 'kwb-page-'));
const out = join(folder, 'runs');
let browser: Browser;
let run: string;
let file: string;

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`no browser at ${CHROMIUM}: apt-get install chromium, or set KWB_CHROMIUM`);
  }
  const sweep = ['--sweep', 'machine.cpus=2,6,16', '--set', 'workload.cycles=300', '--replications', '3'];
  await kwb(['run', 'netns-unshare-storm', ...sweep, '--quiet', '--out', out]);
  run = join(
    out,
    readdirSync(out).find((name) => !name.startsWith('.'))!,
  );
  // Alone in a folder: what it needs besides itself would be missed.
  file = join(folder, 'alone.html');
  copyFileSync(join(run, 'report.html'), file);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function open(options: { colorScheme?: 'light' | 'dark'; width?: number; javaScriptEnabled?: boolean } = {}) {
  const { width = 1280, ...rest } = options;
  const context = await browser.newContext({ viewport: { width, height: 900 }, ...rest });
  const page = await context.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(pathToFileURL(file).href);
  return { page, requests, errors };
}

const titles = (page: Page) => page.locator('h2').allTextContents();

test('loads nothing but itself and logs no error', async () => {
  const { page, requests, errors } = await open();
  expect(requests).toEqual([pathToFileURL(file).href]);
  expect(errors).toEqual([]);
  expect(await titles(page)).toEqual([
    'Along machine.cpus',
    'Variants side by side',
    'Paired differences',
    'Over time',
    'Latency percentiles',
    'Published figures',
    'Thresholds',
    'Provenance',
  ]);
  await page.context().close();
});

test('is complete without its script', async () => {
  const { page } = await open({ javaScriptEnabled: false });
  const curves = page.locator('section').first().locator('figure');
  expect(await curves.count()).toBe(7);
  expect(await curves.first().locator('svg[data-x] .line[d^="M"]').count()).toBe(2);
  expect(await curves.nth(5).locator('.band').count()).toBe(2);
  expect(await curves.first().locator('.marker title').first().textContent()).toMatch(
    /^before: \d.* at 2, 95 % interval \d.* to \d/,
  );
  await page.context().close();
});

test('reads values off a chart with the arrow keys, and aloud', async () => {
  const { page } = await open();
  const chart = page.locator('section').first().locator('figure', { hasText: 'loop, median' });
  await chart.locator('svg[data-x]').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  const reading = chart.locator('.reading');
  expect(await reading.textContent()).toMatch(/^at 6: before \d[\d.]* \w+ · v4 \d[\d.]* \w+$/);
  expect(await reading.getAttribute('aria-live')).toBe('polite');
  const summary = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')).summary as {
    variant: string;
    point: Record<string, number>;
    metric: string;
    median: number;
  }[];
  const loop = summary.find((e) => e.variant === 'v4' && e.point['machine.cpus'] === 6 && e.metric === 'loop_seconds')!;
  const shown = /v4 ([\d.]+) (m?)s$/.exec((await reading.textContent())!)!;
  // A pixel is a third of a percent of the axis.
  expect(Number(shown[1]) * (shown[2] === 'm' ? 1e-3 : 1)).toBeCloseTo(loop.median, 2);
  await page.context().close();
});

/** Contrast of the text of every visible element against what is behind it, the lowest first. */
const contrasts = (page: Page) =>
  page.evaluate(() => {
    const parse = (text: string) => (/[\d.]+/g.exec(text) ? text.match(/[\d.]+/g)!.map(Number) : [0, 0, 0, 0]);
    const light = (rgb: readonly number[]) => {
      const [r, g, b] = rgb.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const behind = (element: Element): number[] => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor);
        if ((color[3] ?? 1) > 0) return color.slice(0, 3);
      }
      return [255, 255, 255];
    };
    const ratio = (a: number, b: number) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return [...document.querySelectorAll('h1,h2,p,a,td,th,li,summary,span,figcaption,text,footer,path.line')]
      .filter((element) => element.getClientRects().length > 0)
      .map((element) => {
        const style = getComputedStyle(element);
        const isSvg = element instanceof SVGElement;
        const isLine = element.matches('.line');
        const color = parse(isLine ? style.stroke : isSvg ? style.fill : style.color).slice(0, 3);
        const found = ratio(light(color), light(behind(element)));
        return { what: `${element.tagName} ${element.textContent?.slice(0, 20)}`, ratio: isLine ? found * 1.5 : found };
      })
      .toSorted((a, b) => a.ratio - b.ratio);
  });

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test('text has a contrast of at least 4.5, lines of at least 3', async () => {
    const { page } = await open({ colorScheme });
    const found = await contrasts(page);
    expect(found.length).toBeGreaterThan(100);
    expect(found.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    await page.context().close();
  });

  test('a narrow screen scrolls tables, not the page', async () => {
    const { page } = await open({ colorScheme, width: 390 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.context().close();
  });
});

/** Labels of a chart that touch another one, or leave the chart. */
const crowded = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('figure svg')].flatMap((svg) => {
      const frame = svg.getBoundingClientRect();
      const labels = [...svg.querySelectorAll('text')]
        .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0);
      const touches = (a: DOMRect, b: DOMRect) =>
        a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
      return labels.flatMap(({ text, box }, i) => [
        ...(box.left < frame.left - 1 || box.right > frame.right + 1 ? [`${text} leaves the chart`] : []),
        ...labels.slice(i + 1).flatMap((other) => (touches(box, other.box) ? [`${text} touches ${other.text}`] : [])),
      ]);
    }),
  );

test.each([1280, 390])('no label of a chart touches another one or is cut off, %d pixels wide', async (width) => {
  const { page } = await open({ width });
  // Charts in folded sections are drawn when they are opened.
  await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
  expect(await crowded(page)).toEqual([]);
  const letters = await page.evaluate(() => {
    const text = document.querySelector('.axis text') as SVGTextElement;
    return text.getBoundingClientRect().height;
  });
  expect(letters).toBeGreaterThan(10);
  await page.context().close();
});

test('every table and chart has a name, and everything that scrolls can be reached with Tab', async () => {
  const { page } = await open();
  const nameless = await page.evaluate(
    () =>
      [...document.querySelectorAll('svg[role=img],[role=region]')].filter((e) => !e.getAttribute('aria-label')).length,
  );
  expect(nameless).toBe(0);
  expect(await page.locator('.scroll:not([tabindex="0"])').count()).toBe(0);
  await page.context().close();
});

test.each(Object.entries(EXPORT_FORMATS).filter(([, { file: wanted }]) => wanted !== null))(
  'kwb export --format %s gives what the run directory has',
  async (name, { file: wanted }) => {
    const { code, stdout } = await kwb(['export', run, '--format', name]);
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync(join(run, wanted!), 'utf8'));
  },
);

test('kwb export --format hgrm has the percentiles of every group', async () => {
  const { code, stdout } = await kwb(['export', run, '--format', 'hgrm']);
  expect(code).toBe(0);
  // Two histograms of two variants at three points.
  expect(stdout.match(/^#\[Max /gm)).toHaveLength(12);
});
