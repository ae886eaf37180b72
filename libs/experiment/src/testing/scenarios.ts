// Scenario texts for the specs of this package.
import { stringify } from 'yaml';
import { registerMechanism } from '../mechanisms.js';
import { planRound } from '../plan.js';
import { parseScenario } from '../scenario/parse.js';
import type { ScenarioOverrides } from '../scenario/overriding.js';
import { ScenarioError } from '../scenario/problems.js';
import { queueMechanism } from './queue-mechanism.js';

registerMechanism(queueMechanism);

export function queueYaml(spec: Readonly<Record<string, unknown>> = {}): string {
  return stringify({
    apiVersion: 'kworkbench/v1',
    kind: 'Scenario',
    metadata: { name: 'queue-test' },
    spec: {
      mechanism: 'queue',
      machine: { profile: 'small' },
      workload: { rate: '600/s' },
      variants: ['before', 'fast'],
      replications: 3,
      ...spec,
    },
  });
}

export const queueScenario = (spec: Readonly<Record<string, unknown>> = {}, overrides: ScenarioOverrides = {}) =>
  parseScenario(queueYaml(spec), 'q.yaml', overrides);

export const firstCell = (spec: Record<string, unknown>, overrides?: ScenarioOverrides) =>
  planRound(queueScenario(spec, overrides), new Map())[0]!.cell;

/** What is wrong, line by line; nothing when it can run. */
export function linesOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ScenarioError) return error.lines();
    throw error;
  }
  return [];
}
