// Quantities for people: two or three significant digits and the unit that fits. Sizes in powers of 1000, as published
// figures have them.

const SIZES = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

const integer = (value: number) => Math.round(value).toLocaleString('en-US');

/** More digits would not be read. */
const MOST_DIGITS = 6;

/** Two or three significant digits, or as many as asked for; thousands separated, no exponent. */
export function formatNumber(value: number, digits?: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (digits !== undefined && size >= 1e-6) {
    return Number(value.toPrecision(digits)).toLocaleString('en-US', { maximumFractionDigits: 20 });
  }
  if (size >= 100) return integer(value);
  if (size < 1e-6) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 10 ? 3 : 2)));
}

/**
 * @param unit unit of a metric, e.g. `bytes`.
 * @param digits significant ones; two or three when it is left out.
 */
export function formatQuantity(value: number, unit: string, digits?: number): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value, digits);
    case 'bytes_per_second':
      return value === 0 ? '0' : `${formatBytes(value, digits)}/s`;
    case 'seconds':
      return formatSeconds(value, digits);
    case 'per_second':
      return value === 0 ? '0' : `${formatNumber(value, digits)} /s`;
    case 'count':
    case 'total':
      return Number.isInteger(value) ? integer(value) : formatNumber(value, digits);
    default:
      return formatNumber(value, digits ?? (isNearOne(value) ? 3 : undefined));
  }
}

/** Ratios from 1 to 10: 1.01 is not 1 to whom it slows down. */
const isNearOne = (value: number) => Math.abs(value) >= 1 && Math.abs(value) < 10;

/**
 * How many digits tell these quantities apart, which may be close to one another (2.016 s, accepted 2.014 s to 2.018 s);
 * undefined when the usual ones do.
 */
export function digitsToTellApart(values: readonly number[], unit: string): number | undefined {
  const distinct = new Set(values).size;
  const apart = (digits?: number) =>
    new Set(values.map((value) => formatQuantity(value, unit, digits))).size === distinct;
  if (apart()) return undefined;
  for (let digits = 3; digits < MOST_DIGITS; digits++) if (apart(digits)) return digits;
  return MOST_DIGITS;
}

function formatBytes(value: number, digits?: number): string {
  if (value === 0) return '0';
  const [factor, unit] = SIZES.find(([size]) => Math.abs(value) >= size) ?? [1, 'B'];
  return `${formatNumber(value / factor, digits)} ${unit}`;
}

export function formatSeconds(value: number, digits?: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1) return `${formatNumber(value, digits)} s`;
  if (size >= 1e-3) return `${formatNumber(value * 1e3, digits)} ms`;
  if (size >= 1e-6) return `${formatNumber(value * 1e6, digits)} µs`;
  return `${formatNumber(value * 1e9, digits)} ns`;
}

/** A memory size as machines are sold: `70 GiB`. */
export function formatGiB(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${formatNumber(gib)} GiB` : `${formatNumber(bytes / 2 ** 20)} MiB`;
}

/** Below this a percentage is shown as `<0.01 %`: more digits would look like a finding. */
const LEAST_PERCENT = 0.01;

/** From here on a decrease is shown by what it leaves: rounded to `-100 %` it would look like all. */
const NEARLY_ALL_PERCENT = 99.5;

/** `-6 %`, `+12 %`, `-99.94 %`. @param digits behind the point, from 10 % on. */
export function formatPercent(ratio: number, digits = 0): string {
  const size = Math.abs(ratio) * 100;
  if (size === 0) return '0 %';
  if (size < LEAST_PERCENT) return `<${LEAST_PERCENT} %`;
  return `${ratio > 0 ? '+' : '-'}${percentDigits(size, digits)} %`;
}

function percentDigits(size: number, digits: number): string {
  if (size < 10) return String(Number(size.toPrecision(2)));
  if (size < NEARLY_ALL_PERCENT || size >= 100) return size.toLocaleString('en-US', { maximumFractionDigits: digits });
  const left = Math.max(LEAST_PERCENT, Number((100 - size).toPrecision(1)));
  return String(Number((100 - left).toFixed(2)));
}

/** What a table calls a metric: its name without the unit. */
export function metricLabel(name: string, unit: string): string {
  const suffix = unit === 'total' || unit === 'ratio' || unit === 'count' ? '' : `_${unit}`;
  const short =
    suffix !== '' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name.replace(/_(total|ratio)$/, '');
  return short.replaceAll('_', ' ');
}
