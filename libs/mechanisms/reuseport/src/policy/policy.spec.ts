import { nullSink } from '@kworkbench/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulateWithPolicy } from '../simulate.js';
import { cellOf, run, runToClose } from '../testing/cells.js';
import { type AttachedPolicy, PolicyBudgetExceeded, type PolicyContext } from './policy.js';
import { holds } from './rules-program.js';
import { policySchema, rulesOf } from './schema.js';

const fill = { kind: 'queues', connections: 100, oldListeners: 4, newListeners: 4, service: 1e-6 };
const lost = (policy: unknown, workload: Record<string, unknown> = {}) =>
  run({ variant: 'M', workload: { ...fill, policy, ...workload } }).metrics;

describe('presets', () => {
  it.each([
    ['deny', {}, { connections_lost_policy_drop_total: 100, migration_failures_total: 100, migrations_total: 0 }],
    ['denyEstablished', {}, { connections_lost_policy_drop_total: 100 }],
    ['denyEstablished', { dropAcksFor: 0.05, dataDelay: 0.1 }, { connections_accepted_total: 100 }],
    ['badIndex', {}, { connections_accepted_total: 100, migration_failures_total: 0 }],
    ['newestGeneration', {}, { connections_accepted_total: 100, hops_mean: 1 }],
    // The last one of the generation has them all when it closes.
    ['sameGenerationOnly', {}, { connections_lost_policy_drop_total: 100 }],
    ['leastLoaded', {}, { connections_accepted_total: 100 }],
    ['consistentHash', {}, { connections_accepted_total: 100 }],
  ])('%s with %j', (policy, workload, expected) => {
    expect(lost(policy, workload)).toMatchObject(expected);
  });

  it('leastLoaded ends more even than the hash', () => {
    expect(lost('leastLoaded')['imbalance_ratio']).toBeLessThan(lost('hash')['imbalance_ratio']!);
  });

  it('newestGeneration keeps connections away from listeners that will close next', () => {
    const { system } = runToClose({ variant: 'M', workload: { ...fill, policy: 'newestGeneration' } });
    expect(Math.max(...system.stack.pool.all.map(({ hops }) => hops))).toBe(1);
  });

  it('a program migrates without the sysctl', () => {
    const { metrics } = run({ variant: 'M', kernel: { migrateReq: 0 }, workload: { ...fill, policy: 'hash' } });
    expect(metrics).toMatchObject({ connections_accepted_total: 100 });
  });
});

describe('rules', () => {
  it('decide by the first that holds, else by the default', () => {
    const policy = {
      rules: [
        { when: { migrating: false }, do: 'hash' },
        { when: { 'sk.id': 'A' }, do: { pick: 'id', id: 'H' } },
        { when: { 'sk.generation': { lt: 1 } }, do: { pick: 'id', id: 'E' } },
      ],
      default: 'drop',
    };
    const { queues } = runToClose({ variant: 'M', workload: { ...fill, hashSource: 'even', policy } });
    expect(Object.values(queues).map((queue) => queue.length)).toEqual([75, 0, 0, 25]);
  });

  it('with no candidate the hash picks, or the connection is refused', () => {
    const nobody = { pick: 'hash', among: { ids: ['ZZ'] } };
    const synByHash = { when: { migrating: false }, do: 'hash' };
    expect(lost({ default: nobody })).toMatchObject({ connections_accepted_total: 100 });
    const refusing = { rules: [synByHash], default: { ...nobody, emptyMeansDrop: true } };
    expect(lost(refusing)).toMatchObject({ connections_lost_policy_drop_total: 100 });
  });

  it('that are strict see depths as user space last saw them', () => {
    const rules = { rules: [{ when: { migrating: false }, do: 'hash' }], default: { pick: 'leastLoaded' } };
    const fresh = lost(rules)['imbalance_ratio']!;
    // A map that is never updated again: all are taken for empty, and the first one gets everything.
    const stale = lost({ ...rules, kernelStrict: true, mapDelay: 100 })['imbalance_ratio']!;
    expect(fresh).toBe(1);
    expect(stale).toBeGreaterThan(2);
  });

  it.each([
    [{ lt: 2 }, 1, true],
    [{ lt: 2 }, 2, false],
    [{ ge: 2, le: 3 }, 3, true],
    [{ ne: 'x' }, 'y', true],
    [{ ne: 'x' }, 'x', false],
    [{ in: [1, 'a'] }, 'a', true],
    [{ in: [1, 'a'] }, undefined, false],
    [{ lt: 2 }, undefined, false],
    ['syn', 'syn', true],
    [true, false, false],
  ] as const)('%j holds for %j: %j', (condition, value, expected) => {
    expect(holds(condition as Parameters<typeof holds>[0], value)).toBe(expected);
  });
});

describe('the schema of policies', () => {
  it.each([
    ['an unknown field', { rulez: [] }],
    ['an unknown condition', { rules: [{ when: { cpu: 1 }, do: 'hash' }] }],
    ['an unknown action', { default: 'accept' }],
    ['an unknown key of a pick', { default: { pick: 'random', code: 'x' } }],
    ['an index without its slot', { default: { pick: 'index' } }],
    ['an id without its listener', { default: { pick: 'id' } }],
    ['a strict look at a generation', { kernelStrict: true, rules: [{ when: { 'sk.generation': 1 }, do: 'hash' }] }],
    ['a strict choice by generation', { kernelStrict: true, default: { pick: 'hash', among: { generation: 1 } } }],
    ['empty bounds', { rules: [{ when: { len: {} }, do: 'hash' }] }],
    ['an unknown preset', 'fastest'],
    ['text that is no JSON', '{rules'],
    ['a number', 3],
    ['more rules than there may be', { rules: Array.from({ length: 65 }, () => ({ do: 'hash' })) }],
  ])('refuses %s', (_, policy) => {
    expect(policySchema.safeParse(policy).success).toBe(false);
  });

  it('takes rules as JSON text, as a command line gives them', () => {
    const rules = { rules: [{ when: { state: 'ESTABLISHED' }, do: 'drop' }], default: 'random' };
    expect(policySchema.parse(JSON.stringify(rules))).toEqual(policySchema.parse(rules));
  });

  it('never throws but its own errors, whatever it is given, and gives rules that run', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = policySchema.safeParse(value);
        expect(parsed.success ? typeof rulesOf(parsed.data) : 'refused').toMatch(/object|undefined|refused/);
      }),
    );
  });
});

describe('a policy that is a function', () => {
  const attached = (decide: AttachedPolicy['decide'], budget = 10_000): AttachedPolicy => ({
    decide,
    attach: 'selectOrMigrate',
    budget,
    rules: 1,
  });
  const cell = cellOf({ variant: 'M', workload: fill });
  const byDepth = ({ live }: PolicyContext) => {
    const least = live.reduce((best, sk) => (sk.depth < best.depth ? sk : best));
    return { pass: true, select: least.id } as const;
  };

  it('decides with what it sees', () => {
    const { metrics } = simulateWithPolicy(
      cell,
      attached((c) => (c.migrating ? byDepth(c) : { pass: true })),
      nullSink,
    );
    expect(metrics).toMatchObject({ connections_accepted_total: 100, imbalance_ratio: 1 });
  });

  it('sees points, states and the closed listener', () => {
    const seen = new Set<string>();
    const look = attached((c) => {
      seen.add(`${c.point} ${c.migrating?.state ?? '-'} ${c.sk.generation} ${c.len > 0}`);
      return { pass: true };
    });
    const halfOpen = cellOf({ variant: 'M', workload: { ...fill, dropAcksFor: 0.05, dataDelay: 0.1 } });
    simulateWithPolicy(cell, look, nullSink);
    simulateWithPolicy(halfOpen, look, nullSink);
    expect([...seen].toSorted()).toEqual(['close ESTABLISHED 0 false', 'finalAck NEW_SYN_RECV 0 true', 'syn - 0 true']);
  });

  it('ends the cell when it reads more than its budget', () => {
    const greedy = attached((c) => {
      for (let i = 0; i < 100; i++) if (c.hash < 0) return { drop: true };
      return { pass: true };
    }, 50);
    expect(() => simulateWithPolicy(cell, greedy, nullSink)).toThrow(PolicyBudgetExceeded);
  });
});
