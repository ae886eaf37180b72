// The declarative form of a policy: data that is checked here and interpreted in rules.ts. Nothing in it is ever run.
//
// With `kernelStrict` a policy knows only what a program of type SK_REUSEPORT knows: `point`, generations and ages are
// refused here, and depths are those of a map that user space updates every `mapDelay`.
import { durationSeconds, integer } from '@kworkbench/mechanism';
import { z } from 'zod';
import { presetNames, presets } from './presets.js';

const MAX_RULES = 64;
/** Fields that the kernel does not show to a program. */
const NOT_IN_KERNEL: ReadonlySet<string> = new Set(['point', 'sk.generation', 'migrating.ageNs']);

const value = z.union([z.number(), z.string(), z.boolean()], { error: 'expected a number, text, true or false' });
const comparison = z
  .strictObject({
    lt: z.number().optional(),
    le: z.number().optional(),
    gt: z.number().optional(),
    ge: z.number().optional(),
    ne: value.optional(),
    in: z.array(value).min(1).max(1000).optional(),
  })
  .refine((bounds) => Object.keys(bounds).length > 0, { error: 'expected one of lt, le, gt, ge, ne, in' });
/** What is no object at all gets the message; an object is told what is wrong inside of it. */
const unlessObject =
  (message: string) =>
  ({ input }: { readonly input?: unknown }): string | undefined =>
    typeof input === 'object' && input !== null && !Array.isArray(input) ? undefined : message;

const condition = z.union([comparison, value], { error: unlessObject('expected a value, or bounds such as {lt: 2}') });

const when = z
  .strictObject({
    point: condition.optional().describe('syn, close, synackTimer or finalAck'),
    migrating: z.boolean().optional().describe('Whether there is a socket to migrate: false at a SYN'),
    state: condition.optional().describe('Of what migrates: ESTABLISHED, SYN_RECV or NEW_SYN_RECV'),
    hash: condition.optional(),
    len: condition.optional().describe('Bytes of the packet: 0 at close and at the timer'),
    'sk.id': condition.optional().describe('The closed listener when migrating; a member of the group at a SYN'),
    'sk.generation': condition.optional(),
    'migrating.ageNs': condition.optional().describe('Since the first SYN'),
  })
  .describe('All of these hold; nothing: always');

const among = z
  .strictObject({
    generation: z
      .union([z.int().min(0), z.enum(['same', 'newest', 'newer'])], {
        error: 'expected a generation, same, newer or newest',
      })
      .optional(),
    ids: z
      .array(z.string().regex(/^[A-Z]{1,4}$/, { error: 'expected a listener such as A' }))
      .min(1)
      .max(1000)
      .optional(),
    maxDepth: z.int().min(0).optional().describe('Only queues of at most that length'),
  })
  .describe('The candidates; nothing: all that listen in the group');

const pick = z.strictObject({
  pick: z.enum(['leastLoaded', 'consistentHash', 'hash', 'roundRobin', 'random', 'index', 'id']),
  among: among.optional(),
  index: integer(0, 65_535).optional().describe('Slot of the socket map (pick index)'),
  id: z.string().max(4).optional().describe('Listener (pick id)'),
  emptyMeansDrop: z.boolean().optional().describe('No candidate: refuse; the default is the hash over all'),
});

const action = z.union([pick, z.enum(['hash', 'drop', 'random'])], {
  error: unlessObject('expected hash, drop, random or {pick: ...}'),
});

export const rulesSchema = z
  .strictObject({
    attach: z
      .enum(['select', 'selectOrMigrate'])
      .default('selectOrMigrate')
      .describe(
        'Attach type of the program: select runs for SYNs only; selectOrMigrate also migrates, without the sysctl',
      ),
    kernelStrict: z.boolean().default(false).describe('Hides what a program in the kernel cannot see'),
    mapDelay: durationSeconds().default(0.001).describe('Age of the depths that a strict policy sees, at most'),
    rules: z
      .array(z.strictObject({ when: when.optional(), do: action }))
      .max(MAX_RULES)
      .default([]),
    default: action.default('hash'),
  })
  .superRefine((policy, context) => {
    const refuse = (path: (string | number)[], message: string, input: unknown): void => {
      context.addIssue({ code: 'custom', path, message, input });
    };
    const actions = policy.rules.map(({ do: act }, i) => [act, ['rules', i, 'do']] as const);
    for (const [act, path] of [...actions, [policy.default, ['default']] as const]) {
      if (typeof act === 'string') continue;
      if (act.pick === 'index' && act.index === undefined)
        refuse([...path, 'index'], 'expected the slot to pick', undefined);
      if (act.pick === 'id' && act.id === undefined)
        refuse([...path, 'id'], 'expected the listener to pick', undefined);
      if (policy.kernelStrict && act.among?.generation !== undefined) {
        refuse([...path, 'among', 'generation'], 'expected no generation: kernelStrict hides it', act.among.generation);
      }
    }
    if (!policy.kernelStrict) return;
    policy.rules.forEach((rule, i) => {
      for (const [key, given] of Object.entries(rule.when ?? {})) {
        if (NOT_IN_KERNEL.has(key))
          refuse(['rules', i, 'when', key], `expected no ${key}: kernelStrict hides it`, given);
      }
    });
  });

export type RulesInput = z.input<typeof rulesSchema>;
export type Rules = z.output<typeof rulesSchema>;
export type Condition = z.output<typeof condition>;
export type When = z.output<typeof when>;
export type Action = z.output<typeof action>;
export type Pick = z.output<typeof pick>;

const CHOICES = `expected none, ${presetNames.join(', ')}, or rules`;

/** Rules as one JSON text, as a command line gives them. */
const rulesText = z
  .string()
  .regex(/^\s*\{/, { error: CHOICES })
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected rules as valid JSON', input: text });
      return z.NEVER;
    }
  })
  .pipe(rulesSchema);

/** Rules, the name of a preset, or rules as JSON text. */
export const policySchema = z
  .union([rulesSchema, z.enum(['none', ...presetNames]), rulesText], {
    error: (issue) =>
      typeof issue.input === 'string' && issue.input.startsWith('{') ? undefined : unlessObject(CHOICES)(issue),
  })
  .default('none');

export type PolicyChoice = z.output<typeof policySchema>;

/** The rules of a choice; undefined without a program. */
export function rulesOf(choice: PolicyChoice): Rules | undefined {
  if (choice === 'none') return undefined;
  return typeof choice === 'string' ? rulesSchema.parse(presets[choice]) : choice;
}
