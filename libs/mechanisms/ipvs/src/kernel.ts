// The kernel under study, as the options in which its designs differ. A variant is a preset of these; a toggle in a
// scenario (`spec.kernel`) sets one for all variants.
import { broughtSchema, integer } from '@kworkbench/mechanism';
import { z } from 'zod';

export const kernelSchema = z.strictObject({
  estimation: z
    .enum(['timer', 'kthreads'])
    .default('kthreads')
    .describe('One timer per namespace that walks everything in softirq (up to 6.1), or kthreads'),
  limits: z
    .enum(['fixed', 'fresh', 'cached'])
    .default('cached')
    .describe(
      'What a kthread may take: 32,768 estimators (v1), or as a calculation tells: on fresh objects under SCHED_FIFO (v4), ' +
        'or on one cached object with a factor of 4 (since v5)',
    ),
  rowPolicy: z
    .enum(['addRow', 'delay'])
    .default('delay')
    .describe(
      'Rows for estimators: before the last row that was filled (v4), or by delay, kept when relinked (since v6)',
    ),
  reschedule: z
    .enum(['chain', 'estimator'])
    .default('chain')
    .describe('Where a kthread gives way: after a chain of about 100 us, or after each estimator (v1)'),
  maxThreads: z
    .enum(['cpus', 'rlimit'])
    .default('cpus')
    .describe('Kthreads per namespace at most: four per CPU of est_cpulist (since v5), or RLIMIT_NPROC (v3, v4)'),
  rlimitNproc: integer(1, 4_194_304)
    .default(32_767)
    .describe('RLIMIT_NPROC of who adds the first service (maxThreads rlimit)'),
  teardownRace: z
    .enum(['open', 'fixed'])
    .default('open')
    .describe('fixed: kthread 0 ends when its calculation was cut short, and places nothing by limits of zero (2026)'),
  kthread0: z
    .enum(['freed', 'kept'])
    .default('freed')
    .describe(
      'kept: its data stays when nothing is left to estimate, and the reload work starts all tasks and stops this one ' +
        'without est_mutex (2026); freed: with the last estimator',
    ),
  build: z
    .enum(['machine', 'voluntary', 'full', 'dynamic'])
    .default('machine')
    .describe(
      'voluntary: no PREEMPT_RCU, 48 chains a tick with cond_resched() between them; full: PREEMPT_RCU, preemptible anywhere; ' +
        'dynamic: PREEMPT_RCU booted with preempt=none or voluntary, a whole tick in one piece; machine: as machine.preemption says',
    ),
  runner: z
    .enum(['kthread', 'workqueue'])
    .default('kthread')
    .describe(
      'What if: a work item on an unbound workqueue in place of each kthread; nice and est_cpulist do not reach it',
    ),
  skipIdle: z
    .boolean()
    .default(false)
    .describe('What if: estimators without packets and without rates are passed over'),
  skipQuietCpus: z.boolean().default(false).describe('What if: only CPUs that ever counted for an estimator are read'),
  brought: broughtSchema,
});

export type IpvsKernel = z.output<typeof kernelSchema>;
