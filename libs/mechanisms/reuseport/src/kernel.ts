// The kernel and the reload procedure under study, as the options in which the designs differ. A variant is a preset of
// these; a toggle in a scenario (`spec.kernel`) sets one for all variants.
import { broughtSchema, durationSeconds, integer } from '@kworkbench/mechanism';
import { z } from 'zod';

export const kernelSchema = z.strictObject({
  select: z
    .enum(['none', 'movedSlot', 'hash', 'random', 'leastLoaded', 'policy'])
    .default('none')
    .describe(
      'Who gets what a closing listener has queued: nobody (reset), the socket that moved into its slot, by the hash of ' +
        'the connection, at random, the shortest queue, or a program and else the hash',
    ),
  when: z
    .enum(['unhash', 'listenStop'])
    .default('listenStop')
    .describe('Where queued connections move: all at once inside detach, or one by one while the queue is emptied'),
  transfer: z
    .enum(['spliceHead', 'spliceTail', 'appendEach'])
    .default('appendEach')
    .describe('How they move: the whole queue before or behind those of the target, or each to the tail'),
  listenerFix: z
    .enum(['never', 'atAcceptTfoOnly', 'loopUnderLock', 'clone'])
    .default('clone')
    .describe('How rsk_listener of a moved request comes to name its new queue'),
  inflight: z
    .enum(['none', 'hash', 'random', 'policy'])
    .default('none')
    .describe('Who gets half-open requests of a closed listener, at the SYN+ACK timer and at the final ACK'),
  guard: z
    .enum(['always', 'sysctl', 'sysctlOrProg'])
    .default('sysctl')
    .describe('What allows migration: always unless a program is attached, the sysctl, or the sysctl or a program'),
  migrateReq: integer(0, 1).default(1).describe('net.ipv4.tcp_migrate_req'),
  nestedLocks: z
    .enum(['plain', 'addressOrdered'])
    .default('plain')
    .describe('Two queue locks at once: the old inside the new in any order, or by address with nested annotation'),
  wakeTarget: z
    .boolean()
    .default(true)
    .describe('Whether the target of a migration at close wakes who waits for it (3864c6b, 2026)'),
  checkBacklogAtClose: z
    .boolean()
    .default(false)
    .describe('What-if: a migration at close passes over targets whose queue is full'),
  reload: z
    .enum(['close', 'fdHandoff', 'drain', 'sharedSocket'])
    .default('close')
    .describe(
      'What old workers do with their listeners: close them, hand them to the new ones (SCM_RIGHTS), stop routing, wait ' +
        'and empty them before they close, or all workers share one',
    ),
  drainTime: durationSeconds().default(0.1).describe('Between the end of routing and the close (reload drain)'),
  syncookies: integer(0, 2)
    .default(1)
    .describe('net.ipv4.tcp_syncookies: never, when the half-open queue is full, always'),
  synackRetries: integer(1, 10).default(5).describe('net.ipv4.tcp_synack_retries'),
  maxSynBacklog: integer(8, 1_000_000).default(1024).describe('net.ipv4.tcp_max_syn_backlog'),
  abortOnOverflow: z.boolean().default(false).describe('net.ipv4.tcp_abort_on_overflow'),
  halfOpenFullAt: z
    .enum(['above', 'at'])
    .default('above')
    .describe('The half-open queue is full above its limit (measured on 6.18: limit + 1 fit) or at it'),
  brought: broughtSchema,
});

export type ReuseportKernel = z.output<typeof kernelSchema>;
