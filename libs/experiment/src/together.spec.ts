// Several mechanisms on one machine: the real netns with the real neighbours.
import { nullSink } from '@kworkbench/telemetry';
import { describe, expect, it } from 'vitest';
import { planRound } from './plan.js';
import { parseScenario } from './scenario/parse.js';
import { ScenarioError } from './scenario/problems.js';
import { queueScenario } from './testing/scenarios.js';
import { runCell } from './worker/run-cell.js';

const LOAD = { name: 'load', mechanism: 'neighbours', workload: { spinners: 6, probes: 2 } };

function scenario(beside: readonly unknown[], more: Record<string, unknown> = {}) {
  const spec = {
    mechanism: 'netns',
    machine: { profile: 'deb510-6cpu' },
    workload: { cycles: 300 },
    variants: ['v4'],
    replications: 1,
    published: [],
    ...(beside.length > 0 && { beside }),
    ...more,
  };
  const document = { apiVersion: 'kworkbench/v1', kind: 'Scenario', metadata: { name: 'together' }, spec };
  return parseScenario(JSON.stringify(document), 'together.json');
}

const cellsOf = (...args: Parameters<typeof scenario>) => planRound(scenario(...args), new Map());

function run(...args: Parameters<typeof scenario>) {
  const { id, cell } = cellsOf(...args)[0]!;
  return runCell(id, cell, nullSink);
}

function lines(...args: Parameters<typeof scenario>): readonly string[] {
  try {
    scenario(...args);
  } catch (error) {
    if (error instanceof ScenarioError) return error.lines();
    throw error;
  }
  return [];
}

describe('mechanisms on one machine', () => {
  it('have the metrics of both, those beside under their name, and disturb each other', () => {
    const alone = run([]);
    const together = run([LOAD]);
    expect(Object.keys(together.metrics)).toEqual(expect.arrayContaining(Object.keys(alone.metrics)));
    expect(together.metrics['load_probe_rounds_total']).toBeGreaterThan(0);
    expect(together.metrics['load_spinner_share_ratio']).toBeLessThan(1);
    expect(together.metrics['loop_seconds']).toBeGreaterThan(alone.metrics['loop_seconds']!);
  });

  it('give the same bytes for the same content', () => {
    expect(run([LOAD]).digest).toBe(run([LOAD]).digest);
  });

  it('can be two of the same, each with its own numbers, its own memory and its own end', () => {
    const { metrics } = run([{ name: 'other', mechanism: 'netns', variant: 'before', workload: { cycles: 200 } }]);
    expect(metrics['netns_freed_total']).toBe(300);
    expect(metrics['other_netns_freed_total']).toBe(200);
    expect(metrics['mem_leaked_bytes']).toBe(0);
    expect(metrics['other_mem_leaked_bytes']).toBe(0);
  });

  it('are swept and judged like one', () => {
    const sweep = { 'beside.load.workload.spinners': [0, 6] };
    const thresholds = { load_probe_overruns_total: ['max>=0'] };
    const cells = cellsOf([LOAD], { sweep, thresholds });
    expect(cells.map(({ cell }) => cell.beside![0]!.workload['spinners'])).toEqual([0, 6]);
    expect(new Set(cells.map(({ id }) => id)).size).toBe(2);
  });

  it.each<[string, readonly unknown[], string]>([
    ['an unknown mechanism', [{ ...LOAD, mechanism: 'neighbors' }], 'spec.beside[0].mechanism: expected one of'],
    ['the same name twice', [LOAD, LOAD], 'spec.beside[1].name: expected a name that no other entry of beside has'],
    ['an unknown variant', [{ ...LOAD, variant: 'v9' }], 'spec.beside[0].variant: expected plain, got "v9"'],
    [
      'an unknown parameter',
      [{ ...LOAD, workload: { spiners: 1 } }],
      'spec.beside[0].workload.spiners: expected a known',
    ],
    [
      'a wrong value',
      [{ ...LOAD, workload: { spinners: -1 } }],
      'spec.beside[0].workload.spinners: expected an integer',
    ],
    ['an unknown profile', [{ ...LOAD, profile: 'mine' }], 'spec.beside[0].profile: expected one of'],
    ['a name that is no prefix', [{ ...LOAD, name: 'My load' }], 'spec.beside[0].name: expected a name of lower case'],
    [
      'an impossible cell',
      [{ ...LOAD, workload: { probePeriod: '1ns' } }],
      'spec.beside.0.workload.probePeriod: expected a duration of at least 1us',
    ],
  ])('refuse %s', (_what, beside, line) => {
    expect(lines(beside)[0]).toContain(line);
  });

  it('refuse a sweep over what is not there', () => {
    expect(lines([LOAD], { sweep: { 'beside.noise.workload.spinners': [1] } })[0]).toContain(
      'expected a path such as beside.<name>.workload.<parameter>',
    );
  });

  it('refuse a mechanism that shares no machine', () => {
    expect(() => queueScenario({ beside: [LOAD] })).toThrow('queue shares no machine');
  });
});
