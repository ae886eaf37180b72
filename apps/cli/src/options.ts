// Parsers of option values. What does not fit is one line that names the option.
import { InvalidArgumentError } from 'commander';

export function integerOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected an integer from ${min} to ${max}`);
  };
}

/** For repeatable options: collects the values in order. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

export function listOption(text: string): readonly string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.some((item) => item === '')) throw new InvalidArgumentError('expected names separated by commas');
  return items;
}

/** `5%` or `0.05`, above 0. */
export function ratioOption(text: string): number {
  const percent = /^([\d.]+)\s*%$/.exec(text);
  const value = percent ? Number(percent[1]) / 100 : text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('expected a percentage such as 5%, or a ratio such as 0.05');
}
