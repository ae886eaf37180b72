// A chart of lines as SVG: axes, bands of confidence, markers, a legend. It says itself what its pixels mean (data-x and
// data-y), so that the page's script can read values off it without the data a second time.
import { markup, Markup } from './markup.js';
import { scaleOf, type Scale } from './scale.js';

export interface Line {
  readonly name: string;
  /** Index of the colour and the dash: the same variant looks the same in every chart. */
  readonly look: number;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** 95 % interval at each x; null where there is none. */
  readonly band?: readonly (readonly [low: number, high: number] | null)[];
  readonly markers?: boolean;
}

export interface Axis {
  readonly title: string;
  readonly unit: string;
  readonly log?: boolean;
  readonly zero?: boolean;
  /** Values that must be on the axis, e.g. a threshold. */
  readonly include?: readonly number[];
  /** Ticks and their words, for axes that are no plain numbers. */
  readonly ticks?: readonly (readonly [value: number, text: string])[];
  format(value: number): string;
}

export interface LineChart {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly x: Axis;
  readonly y: Axis;
}

const WIDTH = 560;
const HEIGHT = 300;
const MARGIN = { top: 12, right: 34, bottom: 50, left: 92 };
/** Of a letter on a narrow screen, where letters are larger than elsewhere, in units of the picture. */
const LETTER = 10;
export const LOOKS = 8;

const round = (value: number) => Math.round(value * 10) / 10;

export function lineChart(chart: LineChart): Markup {
  const { x, y, lines } = chart;
  const xs = lines
    .flatMap((line) => Array.from(line.x))
    .concat(x.include ?? [], x.ticks?.map(([value]) => value) ?? []);
  const ys = lines.flatMap((line) => [...Array.from(line.y), ...(line.band ?? []).flatMap((band) => band ?? [])]);
  const shownYs = ys.concat(y.include ?? []).filter((value) => !y.log || value > 0);
  const xScale = scaleOf(xs, [MARGIN.left, WIDTH - MARGIN.right], { log: x.log ?? false, room: 6, tight: true });
  const yScale = scaleOf(shownYs, [HEIGHT - MARGIN.bottom, MARGIN.top], { log: y.log ?? false, zero: y.zero ?? false });
  const drawn = lines.map((line) => drawLine(line, xScale, yScale, x, y));
  return markup`<figure class="chart">
    <figcaption>${chart.title}</figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      role="img"
      tabindex="0"
      aria-label="${`${chart.title}. ${x.title} across, ${y.title} upwards. Arrow keys read values.`}"
      data-x="${axisData(xScale, x, MARGIN.left, WIDTH - MARGIN.right)}"
      data-y="${axisData(yScale, y, HEIGHT - MARGIN.bottom, MARGIN.top)}"
    >
      ${yAxis(yScale, y)}${xAxis(xScale, x)}${drawn}
      <line class="cross" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" x1="-9" x2="-9" />
    </svg>
    ${legend(lines)}<output class="reading" aria-live="polite"></output>
  </figure>`;
}

const axisData = ({ min, max, log }: Scale, { unit }: Axis, from: number, to: number): string =>
  JSON.stringify({ min, max, log, unit, from, to });

const FACTORS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** Numbers without a prefix of their own grow long: large ones are counted in thousands or millions. */
function tickText(value: number, axis: Axis): string {
  const rate = axis.unit === 'per_second';
  const plain = rate || axis.unit === 'count' || axis.unit === 'total';
  const size = Math.abs(value);
  if (!plain || size < (rate ? 1e4 : 1e6)) return axis.format(value);
  const [factor, letter] = FACTORS.find(([each]) => size >= each)!;
  return `${Number((value / factor).toPrecision(3))} ${letter}${rate ? '/s' : ''}`;
}

function yAxis(scale: Scale, axis: Axis): Markup {
  const ticks = axis.ticks ?? scale.ticks.map((tick) => [tick, tickText(tick, axis)] as const);
  const right = WIDTH - MARGIN.right;
  return markup`<g class="axis"
    >${ticks.map(
      ([value, text]) =>
        markup`<line
            x1="${MARGIN.left}"
            x2="${right}"
            y1="${round(scale.at(value))}"
            y2="${round(scale.at(value))}"
          /><text class="y" x="${MARGIN.left - 8}" y="${round(scale.at(value) + 4)}">${text}</text>`,
    )}</g
  > `;
}

function xAxis(scale: Scale, axis: Axis): Markup {
  const ticks = axis.ticks ?? scale.ticks.map((tick) => [tick, tickText(tick, axis)] as const);
  const labelled = withRoom(ticks.map(([value, text]) => [scale.at(value), text] as const));
  const bottom = HEIGHT - MARGIN.bottom;
  const middle = (MARGIN.left + WIDTH - MARGIN.right) / 2;
  return markup`<g class="axis"
    >${ticks.map(
      ([value, text]) =>
        markup`<line
            x1="${round(scale.at(value))}"
            x2="${round(scale.at(value))}"
            y1="${bottom}"
            y2="${bottom + 5}"
          />${labelled.has(text) && markup`<text class="x" x="${round(scale.at(value))}" y="${bottom + 21}">${text}</text>`}`,
    )}<text class="x title" x="${middle}" y="${HEIGHT - 5}">${axis.title}</text></g
  > `;
}

/** The labels that do not touch one before them. */
function withRoom(labels: readonly (readonly [at: number, text: string])[]): Set<string> {
  const shown = new Set<string>();
  let free = -Infinity;
  for (const [at, text] of labels.toSorted((a, b) => a[0] - b[0])) {
    const half = (text.length * LETTER) / 2;
    if (at - half < free) continue;
    shown.add(text);
    free = at + half + LETTER / 2;
  }
  return shown;
}

function drawLine(line: Line, xScale: Scale, yScale: Scale, x: Axis, y: Axis): Markup {
  const points: string[] = [];
  const markers: Markup[] = [];
  for (let i = 0; i < line.x.length; i++) {
    // A logarithmic axis has no 0; what is below its end lies on the end.
    const value = yScale.log ? Math.max(line.y[i]!, yScale.min) : line.y[i]!;
    const [px, py] = [round(xScale.at(line.x[i]!)), round(yScale.at(value))];
    points.push(`${px},${py}`);
    if (!line.markers) continue;
    const band = line.band?.[i];
    const interval = band ? `, 95 % interval ${y.format(band[0])} to ${y.format(band[1])}` : '';
    const title = `${line.name}: ${y.format(line.y[i]!)} at ${x.format(line.x[i]!)}${interval}`;
    markers.push(markup`<circle class="marker" cx="${px}" cy="${py}" r="3.5"><title>${title}</title></circle>`);
  }
  const path = points.length > 0 ? `M${points.join('L')}` : '';
  return markup`<g class="look${line.look % LOOKS}"
    >${bandPath(line, xScale, yScale)}<path class="line" data-name="${line.name}" d="${path}" />${markers}</g
  > `;
}

function bandPath(line: Line, xScale: Scale, yScale: Scale): Markup | undefined {
  const known = (line.band ?? []).flatMap((band, i) => (band ? [{ at: line.x[i]!, band }] : []));
  if (known.length < 2) return undefined;
  const pixel = (at: number, value: number) =>
    `${round(xScale.at(at))},${round(yScale.at(yScale.log ? Math.max(value, yScale.min) : value))}`;
  const upper = known.map(({ at, band }) => pixel(at, band[1]));
  const lower = known.toReversed().map(({ at, band }) => pixel(at, band[0]));
  return markup`<path class="band" d="${`M${[...upper, ...lower].join('L')}Z`}" />`;
}

function legend(lines: readonly Line[]): Markup {
  return markup`<ul class="legend">
    ${lines.map(
      ({ name, look }) =>
        markup`<li class="look${look % LOOKS}">
          <svg viewBox="0 0 28 10" aria-hidden="true"><path class="line" d="M1,5L27,5" /></svg>${name}
        </li>`,
    )}
  </ul>`;
}
