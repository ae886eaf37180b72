// Quantities for people: three significant digits and the unit that fits. Sizes in powers of 1000, as published
// figures have them.

const SIZES = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

const integer = (value: number) => Math.round(value).toLocaleString('en-US');

/** Three significant digits, thousands separated, no exponent. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size >= 100) return integer(value);
  if (size < 1e-6) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 10 ? 3 : 2)));
}

/** @param unit unit of a metric, e.g. `bytes`. */
export function formatQuantity(value: number, unit: string): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value);
    case 'bytes_per_second':
      return value === 0 ? '0' : `${formatBytes(value)}/s`;
    case 'seconds':
      return formatSeconds(value);
    case 'per_second':
      return value === 0 ? '0' : `${formatNumber(value)} /s`;
    case 'count':
    case 'total':
      return Number.isInteger(value) ? integer(value) : formatNumber(value);
    default:
      return formatNumber(value);
  }
}

function formatBytes(value: number): string {
  if (value === 0) return '0';
  const [factor, unit] = SIZES.find(([size]) => Math.abs(value) >= size) ?? [1, 'B'];
  return `${formatNumber(value / factor)} ${unit}`;
}

export function formatSeconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1) return `${formatNumber(value)} s`;
  if (size >= 1e-3) return `${formatNumber(value * 1e3)} ms`;
  if (size >= 1e-6) return `${formatNumber(value * 1e6)} µs`;
  return `${formatNumber(value * 1e9)} ns`;
}

/** A memory size as machines are sold: `70 GiB`. */
export function formatGiB(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${formatNumber(gib)} GiB` : `${formatNumber(bytes / 2 ** 20)} MiB`;
}

/** Below this a percentage is shown as `<0.01 %`: more digits would look like a finding. */
const LEAST_PERCENT = 0.01;

/** `-6 %`, `+12 %`. */
export function formatPercent(ratio: number): string {
  const size = Math.abs(ratio) * 100;
  if (size === 0) return '0 %';
  const sign = ratio > 0 ? '+' : '-';
  if (size < LEAST_PERCENT) return `${sign}<${LEAST_PERCENT} %`;
  return `${sign}${size < 10 ? Number(size.toPrecision(2)) : integer(size)} %`;
}

/** What a table calls a metric: its name without the unit. */
export function metricLabel(name: string, unit: string): string {
  const suffix = unit === 'total' || unit === 'ratio' || unit === 'count' ? '' : `_${unit}`;
  const short =
    suffix !== '' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name.replace(/_(total|ratio)$/, '');
  return short.replaceAll('_', ' ');
}
