// Quantities as people write them in scenario files (`4ms`, `70GiB`, `1000/s`), parsed once at the boundary.
import { z } from 'zod';

const DURATION_SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
};
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const QUANTITY = /^\s*([+-]?(?:\d+(?:[\d_,]*\d)?)(?:\.\d+)?(?:e[+-]?\d+)?)\s*([A-Za-z/]*)\s*$/i;

function parse(text: string, units: Readonly<Record<string, number>>, bare: number): number | undefined {
  const match = QUANTITY.exec(text);
  if (!match) return undefined;
  const factor = match[2] === '' ? bare : units[match[2]!];
  return factor === undefined ? undefined : Number(match[1]!.replace(/[_,]/g, '')) * factor;
}

function quantity(what: string, units: Readonly<Record<string, number>>) {
  return z.union([z.number(), z.string()], { error: `expected ${what}` }).transform((input, context) => {
    const value = typeof input === 'number' ? input : parse(input, units, 1);
    if (value === undefined || !Number.isFinite(value) || value < 0) {
      context.issues.push({ code: 'custom', message: `expected ${what}`, input });
      return z.NEVER;
    }
    return value;
  });
}

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number) {
  const error = `expected an integer from ${min.toLocaleString('en')} to ${max.toLocaleString('en')}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A duration such as `4ms`, `1.5s`, `10min`; a bare number is seconds. Parses to seconds, not negative. */
export const durationSeconds = () => quantity('a duration such as 4ms, 1.5s or 10min', DURATION_SECONDS);

/** A size such as `70GiB` or `400MB`; a bare number is bytes. Parses to bytes, not negative. */
export const sizeBytes = () => quantity('a size such as 70GiB or 400MB', SIZE_BYTES);

/** A rate such as `1000/s`; a bare number is per second. Parses to a number per second, not negative. */
export const ratePerSecond = () => quantity('a rate such as 1000/s', { '/s': 1, '/min': 1 / 60 });

/** Parses a number with an optional unit of size or time, for thresholds (`400MiB`, `250ms`, `0.99`). */
export function parseQuantity(text: string): number | undefined {
  return parse(text, { ...DURATION_SECONDS, ...SIZE_BYTES, '/s': 1 }, 1);
}
