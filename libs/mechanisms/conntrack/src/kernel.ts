// The conntrack under study, as the options in which its designs differ. A variant is a preset of these; a toggle in a
// scenario (`spec.kernel`) sets one for all variants.
import { broughtSchema, integer } from '@kworkbench/mechanism';
import { z } from 'zod';

export const kernelSchema = z.strictObject({
  expiration: z
    .enum(['lists', 'queues', 'rculists', 'buckets'])
    .default('lists')
    .describe(
      'lists: 11 lists under ct_lock, moved by every packet; queues: 11 MPSC queues, ct_lock only around table inserts and ' +
        'removals; rculists: 100 RCU lists, moved never; buckets: a lock and a list per bucket',
    ),
  duplicateInsertRace: z
    .boolean()
    .default(false)
    .describe('expiration queues: the miss and the insert are not one step, so two threads may insert one tuple (v3)'),
  pushFrontToCurrentKind: z
    .boolean()
    .default(false)
    .describe(
      'expiration queues: the cleaner puts a node back in front of the queue of its present kind, not of its own',
    ),
  sweepCursorBug: z
    .boolean()
    .default(false)
    .describe(
      'expiration rculists: a round begins with the list at which the one before ended, so a list that is longer than the ' +
        'budget is never left (3.0 and 3.1)',
    ),
  buckets: integer(1, 1024).default(16).describe('expiration buckets: locks and lists'),
  sweepIntervalSeconds: z
    .number()
    .min(0)
    .max(86_400)
    .default(0)
    .describe('Sleep of ct_clean between two sweeps; 0: 5 s, or 20 s with RCU lists'),
  connLimit: integer(1, 4_000_000).default(3_000_000).describe('n_conn_limit (ovs-appctl dpctl/ct-set-maxconns)'),
  proveLocking: z
    .boolean()
    .default(false)
    .describe('Every order in which locks are taken is checked, and all packets are worked on one by one: slow'),
  brought: broughtSchema,
});

export type ConntrackKernel = z.output<typeof kernelSchema>;
