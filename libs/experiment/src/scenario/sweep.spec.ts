import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueScenario, queueYaml } from '../testing/scenarios.js';
import { parseScenario } from './parse.js';

const rates = (axis: unknown) =>
  queueScenario({ sweep: { 'workload.rate': axis } }).points.map((point) => point['workload.rate']);
const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('an axis of a sweep', () => {
  it.each([
    ['a list', [1, '2/s', 3], [1, '2/s', 3]],
    ['a range with a step', { from: 100, to: 500, step: 200 }, [100, 300, 500]],
    ['a range whose steps do not reach its end', { from: 1, to: 2, step: 0.4 }, [1, 1.4, 1.8]],
    ['a range of tenths', { from: 0.1, to: 0.5, step: 0.1 }, [0.1, 0.2, 0.3, 0.4, 0.5]],
    ['a range of quantities', { from: '100/s', to: '300/s', step: '100/s' }, [100, 200, 300]],
    ['points at equal ratios', { from: 10, to: 1000, points: 3 }, [10, 100, 1000]],
    ['whole points between whole ends, each once', { from: 1, to: 8, points: 8 }, [1, 2, 3, 4, 6, 8]],
    ['points between fractions', { from: 0.5, to: 32, points: 3 }, [0.5, 4, 32]],
  ])('can be %s', (_, axis, values) => {
    expect(rates(axis)).toEqual(values);
  });

  it('with points has both ends, ascends, and has at most as many values as were asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 2, max: 30 }),
        (from, more, points) => {
          const values = rates({ from, to: from + more, points }) as number[];
          expect([values[0], values.at(-1)]).toEqual([from, from + more]);
          expect(values.length).toBeLessThanOrEqual(points);
          for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThan(values[i - 1]!);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each([
    [{ from: 5, to: 1, step: 1 }, 'spec.sweep[workload.rate].to: expected more than from (5), got 1'],
    [
      { from: 0, to: 1, points: 3 },
      'spec.sweep[workload.rate].from: expected more than 0 where points lie at equal ratios, got 0',
    ],
    [{ from: 1, to: 2 }, 'spec.sweep[workload.rate]: expected either step or points beside from and to'],
    [{ from: 1, to: 2, step: 1, points: 2 }, 'spec.sweep[workload.rate]: expected either step or points'],
    [{ from: 1, to: 2, step: 0 }, 'spec.sweep[workload.rate].step: expected a number or a quantity above 0, got 0'],
    [{ from: 'low', to: 2, step: 1 }, 'spec.sweep[workload.rate].from: expected a number or a quantity, got "low"'],
    [{ from: 1, to: 2, stride: 1 }, 'spec.sweep[workload.rate].stride: expected a known key'],
    [{ from: 1, to: 2, points: 1 }, 'spec.sweep[workload.rate].points: expected an integer from 2 to 1000000, got 1'],
  ])('%j is refused', (axis, line) => {
    expect(refusal(() => rates(axis)).replace(/^q\.yaml:\d+: /, '')).toContain(line);
  });
});

describe('a sweep on the command line', () => {
  const points = (...texts: string[]) =>
    queueScenario({}, { sweep: { 'workload.rate': texts } }).points.map((point) => point['workload.rate']);

  it('takes lists and ranges', () => {
    expect(points('500/s', '1000/s')).toEqual(['500/s', '1000/s']);
    expect(points('100..400:100')).toEqual([100, 200, 300, 400]);
    expect(points('10/s..1000/s:log3')).toEqual([10, 100, 1000]);
    expect(points('0.5..1.5:0.5')).toEqual([0.5, 1, 1.5]);
  });

  it('asks of a range what is between its ends', () => {
    expect(refusal(() => points('2..256'))).toBe(
      '--sweep workload.rate=2..256: spec.workload.rate: expected a step (2..256:8), points at equal ratios (2..256:log8), or a list, got 2..256',
    );
  });

  it('names the option in what is wrong', () => {
    expect(refusal(() => points('5..1:1'))).toBe(
      '--sweep workload.rate=5..1:1: spec.sweep[workload.rate].to: expected more than from (5), got 1',
    );
  });

  it('gives a scenario that reads back as the same', () => {
    const scenario = queueScenario({}, { sweep: { 'machine.cpus': ['2..64:log6'], 'workload.rate': ['100..300:50'] } });
    expect(parseScenario(scenario.yaml, 'again').points).toEqual(scenario.points);
    expect(scenario.points).toHaveLength(30);
  });
});

describe('size', () => {
  const endless = { from: 1, to: 1e9, step: 1 };

  it('of a scenario with 10^9 cells, and with 10^27, is refused without expanding', () => {
    const one = refusal(() =>
      queueScenario({ sweep: { 'workload.rate': endless }, variants: ['before'], replications: 1 }),
    );
    expect(one).toBe(
      'q.yaml:5: spec: expected at most 10000 cells unless more are asked for (kwb: --max-cells, up to 1000000), got 1000000000 (variants x points x replications: 1 x 1000000000 x 1)',
    );
    const sweep = { 'workload.rate': endless, 'workload.items': endless, 'machine.cpus': endless };
    expect(refusal(() => queueScenario({ sweep }))).toMatch(
      /expected at most 10000 cells .* got 6(\.\d+)?e\+27 \(variants x points x replications: 2 x 1e\+27 x 3\)$/,
    );
  });

  it('of a text of 10 MB is refused without parsing', () => {
    expect(refusal(() => parseScenario('a'.repeat(10e6), 'big.yaml'))).toBe(
      'big.yaml: expected a scenario of at most 1048576 characters, got 10000000',
    );
  });

  it('can be larger where that is asked for', () => {
    const text = queueYaml({ sweep: { 'workload.rate': { from: 1, to: 2000, step: 1 } } });
    expect(refusal(() => parseScenario(text, 'x'))).toContain('got 12000');
    expect(parseScenario(text, 'x', {}, { maxCells: 12_000 }).points).toHaveLength(2000);
    expect(refusal(() => parseScenario(text, 'x', {}, { maxCells: 11_999 }))).toContain('at most 11999 cells');
  });

  it.each([
    ['axes', { sweep: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`workload.x${i}`, [1]])) }],
    ['variants', { variants: Array.from({ length: 101 }, (_, i) => ({ id: 'before', as: `b${i}` })) }],
    ['thresholds', { thresholds: { items_total: Array.from({ length: 1001 }, () => 'max<1') } }],
  ])('of %s has a limit', (_, spec) => {
    expect(refusal(() => queueScenario(spec))).toMatch(/expected (at most 8 paths|a list of \d+ to \d+)/);
  });
});
