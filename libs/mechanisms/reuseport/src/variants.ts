// Every design that was merged, posted or proposed in review, and what user space does instead, as presets.
import type { VariantSpec } from '@kworkbench/mechanism';
import type { ReuseportKernel } from './kernel.js';

interface ReuseportVariant extends VariantSpec {
  readonly kernel: Readonly<Partial<ReuseportKernel>>;
}

const V1 = {
  select: 'movedSlot',
  when: 'unhash',
  transfer: 'spliceHead',
  listenerFix: 'atAcceptTfoOnly',
  inflight: 'hash',
  guard: 'always',
} as const;
const REVIEWER = { when: 'listenStop', transfer: 'appendEach', listenerFix: 'loopUnderLock', guard: 'sysctl' } as const;
/** As merged. */
export const MERGED = {
  select: 'policy',
  when: 'listenStop',
  transfer: 'appendEach',
  listenerFix: 'clone',
  inflight: 'policy',
  guard: 'sysctlOrProg',
} as const;

export const variants: readonly ReuseportVariant[] = [
  {
    id: 'B0',
    title: 'no migration: queued connections are reset',
    source: 'Linux before 5.14; tcp_migrate_req=0',
    kernel: {},
  },
  {
    id: 'V1',
    title: 'the queue is spliced to the socket that moved into the slot',
    source: '[PATCH v1 bpf-next 03/11] (the seed), Dec 2020',
    kernel: V1,
  },
  {
    id: 'V2',
    title: 'V1 with the two queue locks taken by address, nested',
    source: 'bpf 20201207132456.65472-5',
    kernel: { ...V1, nestedLocks: 'addressOrdered' },
  },
  {
    id: 'V3p',
    title: 'V1 that rewrites rsk_listener of all requests under the locks, behind a sysctl',
    source: 'fix-up proposed in the v1 thread, Dec 2020',
    kernel: { ...V1, listenerFix: 'loopUnderLock', guard: 'sysctl' },
  },
  {
    id: 'R-hash',
    title: "the reviewer's loop over requests, target by hash",
    source: 'M. Lau, v1 03/11 thread, 8 Dec 2020',
    kernel: { ...REVIEWER, select: 'hash', inflight: 'hash' },
  },
  {
    id: 'R-rand',
    title: "the reviewer's loop over requests, target at random",
    source: 'M. Lau, v1 03/11 thread, 8 Dec 2020',
    kernel: { ...REVIEWER, select: 'random', inflight: 'random' },
  },
  {
    id: 'R-pol',
    title: "the reviewer's loop over requests, target by program",
    source: 'M. Lau, v1 03/11 thread, 8 Dec 2020',
    kernel: { ...REVIEWER, select: 'policy', inflight: 'policy' },
  },
  {
    id: 'M',
    title: 'each request is cloned to a listener that a program or the hash picks; the target is woken',
    source: '07811361a3d0, merged in 5.14, with 3864c6b (Apr 2026)',
    kernel: MERGED,
  },
  {
    id: 'M0',
    title: 'M that does not wake the target at close',
    source: '5.14 until 3864c6b (Apr 2026)',
    kernel: { ...MERGED, wakeTarget: false },
  },
  {
    id: 'leastLoaded',
    title: 'what-if: M with the shortest queue as target',
    source: 'what-if',
    kernel: { ...MERGED, select: 'leastLoaded' },
  },
  {
    id: 'fdHandoff',
    title: 'old workers hand their listeners to new ones over a unix socket',
    source: 'J. Baron, v4 thread, Apr 2021; HAProxy 1.8',
    kernel: { reload: 'fdHandoff' },
  },
  {
    id: 'drain',
    title: 'old workers stop routing, wait, accept until EAGAIN, and close',
    source: 'E. Dumazet and M. Lau, v4 thread, Apr 2021',
    kernel: { reload: 'drain' },
  },
  {
    id: 'syncookies',
    title: 'no half-open requests: tcp_syncookies=2',
    source: 'E. Dumazet, v4 thread, Apr 2021',
    kernel: { syncookies: 2 },
  },
  {
    id: 'sharedSocket',
    title: 'one listener that all workers accept from',
    source: 'granian #567',
    kernel: { reload: 'sharedSocket' },
  },
];
