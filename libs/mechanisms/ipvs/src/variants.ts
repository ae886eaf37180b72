// Every design that was merged or posted and that differs in behaviour, as presets of the kernel options.
import type { VariantSpec } from '@kworkbench/mechanism';
import type { IpvsKernel } from './kernel.js';

interface IpvsVariant extends VariantSpec {
  readonly kernel: Readonly<Partial<IpvsKernel>>;
}

export const variants: readonly IpvsVariant[] = [
  {
    id: 'timer',
    title: 'one timer per namespace walks all estimators in softirq',
    source: 'Linux up to 6.1, net/netfilter/ipvs/ip_vs_est.c: estimation_timer',
    kernel: { estimation: 'timer' },
  },
  {
    id: 'v1',
    title: 'kthreads of up to 32,768 estimators, rescheduling after each',
    source: 'RFC PATCH 0/4, lvs-devel, August 2022',
    kernel: { limits: 'fixed', rowPolicy: 'addRow', reschedule: 'estimator', maxThreads: 'rlimit' },
  },
  {
    id: 'rfc-v4',
    title: 'limits from a calculation on fresh objects under SCHED_FIFO',
    source: 'RFC PATCHv4 0/5, lvs-devel 20220920135332.153732-1-ja@ssi.bg (the seed)',
    kernel: { limits: 'fresh', rowPolicy: 'addRow', maxThreads: 'rlimit' },
  },
  {
    id: 'v6.2',
    title: 'limits from a cached object with a factor of 4, four kthreads per CPU, delays kept',
    source: '705dd3444081 and f0be83d54217, merged in 6.2',
    kernel: {},
  },
  {
    id: 'race-fix',
    title: 'v6.2 with the races of 2026 closed: teardown in the calculation, est_mutex and the data of kthread 0',
    source: 'd5122a2b2601 (CVE-2026-74670) and netfilter-devel 20260424175858.54752-1-ja@ssi.bg (PATCHv3)',
    kernel: { teardownRace: 'fixed', kthread0: 'kept' },
  },
  {
    id: 'workqueue',
    title: 'v6.2 with work items in place of kthreads',
    source: 'what-if: asked for in review, lvs-devel Y5OhfLeQiOXhQ2/s@salvia',
    kernel: { runner: 'workqueue' },
  },
  {
    id: 'skipIdle',
    title: 'v6.2, passing over idle estimators',
    source: 'what-if: wished for on lvs-devel, not done',
    kernel: { skipIdle: true },
  },
  {
    id: 'skipQuietCpus',
    title: 'v6.2, reading only CPUs that saw traffic',
    source: 'what-if: wished for on lvs-devel, not done',
    kernel: { skipQuietCpus: true },
  },
];
