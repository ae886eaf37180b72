import { describe, expect, it } from 'vitest';
import { digitsToTellApart, formatPercent, formatQuantity, metricLabel } from './format.js';

describe('formats', () => {
  it.each([
    [14.1e9, 'bytes', '14.1 GB'],
    [118.4e6, 'bytes_per_second', '118 MB/s'],
    [0, 'bytes_per_second', '0'],
    [0.0024, 'seconds', '2.4 ms'],
    [1165, 'seconds', '1,165 s'],
    [0.0000123, 'seconds', '12.3 µs'],
    [50_000, 'total', '50,000'],
    [2.5, 'count', '2.5'],
    [0.123, 'ratio', '0.12'],
    [1.0132, 'ratio', '1.01'],
    [1.9, 'ratio', '1.9'],
    [12.34, 'ratio', '12.3'],
    [-13.8e9, 'bytes', '-13.8 GB'],
  ])('%d %s is %s', (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it.each([
    [[2.014, 2.016, 2.018], 'seconds', ['2.014 s', '2.016 s', '2.018 s']],
    [[2.2, 2.3, 2.4], 'seconds', ['2.2 s', '2.3 s', '2.4 s']],
    [[1165.2, 1165.4], 'seconds', ['1,165.2 s', '1,165.4 s']],
    [[2, 2], 'seconds', ['2 s', '2 s']],
    [[1, 1 + 1e-9], 'ratio', ['1', '1']],
    [[14.11e9, 14.12e9], 'bytes', ['14.11 GB', '14.12 GB']],
  ])('show %j %s with as many digits as tell them apart', (values, unit, texts) => {
    const digits = digitsToTellApart(values, unit);
    expect(values.map((value) => formatQuantity(value, unit, digits))).toEqual(texts);
  });

  it('name metrics without their unit', () => {
    expect(metricLabel('mem_available_dip_bytes', 'bytes')).toBe('mem available dip');
    expect(metricLabel('mem_slope_bytes_per_second', 'bytes_per_second')).toBe('mem slope');
    expect(metricLabel('kworkers_max', 'count')).toBe('kworkers max');
  });

  it.each([
    [-0.06, '-6 %'],
    [0.123, '+12 %'],
    [0, '0 %'],
    [-3e-7, '<0.01 %'],
    // What is left of it counts: no decrease that leaves something is one of 100 %.
    [-0.9937, '-99 %'],
    [-0.99541, '-99.5 %'],
    [-0.99938, '-99.94 %'],
    [-0.9999996, '-99.99 %'],
    [-1, '-100 %'],
    [14.2, '+1,420 %'],
  ])('show a change of %d as %s', (ratio, text) => {
    expect(formatPercent(ratio)).toBe(text);
  });

  it('show a change that is known to the digit with one more', () => {
    expect([-0.5, -0.9197, 11.174].map((ratio) => formatPercent(ratio, 1))).toEqual(['-50 %', '-92 %', '+1,117.4 %']);
  });
});
