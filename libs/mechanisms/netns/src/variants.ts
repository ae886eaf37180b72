// Every design that was merged, posted or proposed in review, as presets of the kernel options.
import type { VariantSpec } from '@kworkbench/mechanism';
import type { NetnsKernel } from './kernel.js';

interface NetnsVariant extends VariantSpec {
  readonly kernel: Readonly<Partial<NetnsKernel>>;
}

export const variants: readonly NetnsVariant[] = [
  {
    id: 'before',
    title: 'one work item per fqdir on system_wq, each with its own rcu_barrier()',
    source: 'Linux 5.3 to 5.10, net/ipv4/inet_fragment.c: fqdir_exit, fqdir_rwork_fn',
    kernel: {},
  },
  {
    id: 'v1',
    title: 'one work item does all hash tables, one barrier and all frees; the list walk uses freed memory',
    source: 'netdev 20201208094529.23266-1',
    kernel: { fqdirExit: 'oneWork', fqdirListWalk: 'unsafe' },
  },
  {
    id: 'v2',
    title: 'v1 with a safe list walk',
    source: 'netdev 20201210080844.23741-1',
    kernel: { fqdirExit: 'oneWork' },
  },
  {
    id: 'v3',
    title: 'hash tables per fqdir on system_wq; barrier and frees batched on the single-threaded fqdir_wq',
    source: 'netdev 20201211082032.26965-1 (the seed)',
    kernel: { fqdirExit: 'rhashWorkThenFreeWq' },
  },
  {
    id: 'v4',
    title: 'hash tables on inet_frag_wq (max_active 1); barrier and frees batched in fqdir_free_work on system_wq',
    source: '0b9b24140681, merged in 5.11',
    kernel: { fqdirExit: 'rhashWqThenFreeWork' },
  },
  {
    id: 'v4_delay1s',
    title: 'v4 with fqdir_free_work delayed by 1 s',
    source: '802e12ff9cbf, 6.10',
    kernel: { fqdirExit: 'rhashWqThenFreeWork', fqdirFreeDelaySeconds: 1 },
  },
  {
    id: 'waitq',
    title: 'before, with rcu_barrier() callers waiting on the sequence instead of a global mutex',
    source: "the author's long-term idea; comment at rcu_barrier_throttled, kernel/rcu/tree.c",
    kernel: { barrier: 'sequence' },
  },
  {
    id: 'userLimit',
    title: 'before, with user.max_net_namespaces = 1000',
    source: 'v1 thread ("blame the user"); syzkaller #3369',
    kernel: { userLimit: 1000 },
  },
  {
    id: 'fairMutex',
    title: 'before, with a first-come-first-served barrier_mutex',
    source: 'what-if: no lock stealing',
    kernel: { barrierMutex: 'fair' },
  },
  {
    id: 'maxActive',
    title: 'before, with max_active 1024 on system_wq',
    source: 'what-if: no ceiling on concurrent barrier callers',
    kernel: { maxActive: 1024 },
  },
  {
    id: 'vagin32',
    title: 'before, with at most 32 namespaces in one cleanup_net() pass',
    source: 'A. Vagin, RFC 2016, netdev msg132304',
    kernel: { batchCap: 32 },
  },
];
