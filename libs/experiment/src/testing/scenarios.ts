// Scenario texts for the specs of this package.
import { stringify } from 'yaml';
import { registerMechanism } from '../mechanisms.js';
import { parseScenario } from '../scenario/parse.js';
import type { ScenarioOverrides } from '../scenario/document.js';
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
