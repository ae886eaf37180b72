// Axes: from values to pixels, and the ticks that a person reads.

export interface Scale {
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  /** Pixel of a value; the ends of the axis map to the ends of the pixel range. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

export interface ScaleOptions {
  readonly log?: boolean;
  /** Number of ticks that there is room for. */
  readonly room?: number;
  /** Linear axes of amounts begin at 0. */
  readonly zero?: boolean;
  /** The axis ends where the values end, with ticks inside. */
  readonly tight?: boolean;
}

/** From this ratio between the largest and the smallest value on, equal ratios say more than equal distances. */
const LOG_FROM_RATIO = 20;

/** Whether values of a sweep are spread so that a logarithmic axis shows them better. */
export function wantsLog(values: readonly number[]): boolean {
  const low = Math.min(...values);
  return low > 0 && Math.max(...values) / low >= LOG_FROM_RATIO && values.length > 2;
}

/** From this ratio on, most of a curve lies on the bottom of a linear axis, whatever it does there. */
const LOG_CURVE_FROM_RATIO = 300;

/** Whether one of the curves grows so much that only a logarithmic axis shows all of it. None of them may touch 0. */
export function needsLog(curves: readonly (readonly number[])[]): boolean {
  return (
    curves.every((values) => values.every((value) => value > 0)) &&
    curves.some((values) => Math.max(...values) / Math.min(...values) >= LOG_CURVE_FROM_RATIO)
  );
}

export function scaleOf(
  values: readonly number[],
  [from, to]: readonly [number, number],
  { log = false, room = 5, zero = false, tight = false }: ScaleOptions = {},
): Scale {
  let low = values.length > 0 ? Math.min(...values) : 0;
  let high = values.length > 0 ? Math.max(...values) : 1;
  if (log) {
    const ticks = logTicks(low, high, room).filter((tick) => !tight || (tick >= low && tick <= high));
    [low, high] = [Math.min(low, ticks[0] ?? low), Math.max(high, ticks.at(-1) ?? high)];
    if (isOneValue(low, high)) [low, high] = [low / 2, high * 2];
    const span = Math.log(high / low);
    return { min: low, max: high, log, ticks, at: (value) => from + (Math.log(value / low) / span) * (to - from) };
  }
  if (zero && low > 0) low = 0;
  if (zero && high < 0) high = 0;
  if (isOneValue(low, high)) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const step = niceStep((high - low) / room);
  const first = tight ? Math.ceil(low / step - 1e-9) : Math.floor(low / step + 1e-9);
  const last = tight ? Math.floor(high / step + 1e-9) : Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  if (!tight) [low, high] = [first * step, last * step];
  return { min: low, max: high, log, ticks, at: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

/** Values that differ in their last bits alone are one value to a person, and no span to divide. */
const isOneValue = (low: number, high: number): boolean => high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high));

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

/** Powers of ten around the values; where there are few of them, 2 and 5 times those as well. */
function logTicks(low: number, high: number, room: number): number[] {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.ceil(Math.log10(high) - 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / room));
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = first; power <= last; power += every) {
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)));
  }
  // One tick beyond each end at most.
  const from = ticks.findLastIndex((tick) => tick <= low * (1 + 1e-9));
  const to = ticks.findIndex((tick) => tick >= high * (1 - 1e-9));
  return ticks.slice(Math.max(0, from), to < 0 ? undefined : to + 1);
}
