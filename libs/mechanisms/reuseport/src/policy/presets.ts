// Policies that were asked for, as rules.
import type { RulesInput } from './schema.js';

export const presetNames = [
  'hash',
  'consistentHash',
  'leastLoaded',
  'sameGenerationOnly',
  'newestGeneration',
  'deny',
  'denyEstablished',
  'badIndex',
  'selectOnly',
] as const;

export type PresetName = (typeof presetNames)[number];

const SYN_BY_HASH = { when: { migrating: false }, do: 'hash' } as const;
/** No group has that many sockets, so the slot is empty and the program's selection fails. */
const EMPTY_SLOT = 65_535;

export const presets: Readonly<Record<PresetName, RulesInput>> = {
  hash: { default: 'hash' },
  consistentHash: { default: { pick: 'consistentHash' } },
  leastLoaded: { rules: [SYN_BY_HASH], default: { pick: 'leastLoaded' } },
  sameGenerationOnly: {
    rules: [SYN_BY_HASH],
    default: { pick: 'hash', among: { generation: 'same' }, emptyMeansDrop: true },
  },
  newestGeneration: { default: { pick: 'hash', among: { generation: 'newest' } } },
  deny: { rules: [SYN_BY_HASH], default: 'drop' },
  denyEstablished: { rules: [{ when: { state: 'ESTABLISHED' }, do: 'drop' }], default: 'hash' },
  badIndex: { rules: [SYN_BY_HASH], default: { pick: 'index', index: EMPTY_SLOT } },
  selectOnly: { attach: 'select', default: 'hash' },
};
