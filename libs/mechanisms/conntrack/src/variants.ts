// Every design that was merged or posted, as presets of the kernel options.
import type { VariantSpec } from '@kworkbench/mechanism';
import type { ConntrackKernel } from './kernel.js';

interface ConntrackVariant extends VariantSpec {
  readonly kernel: Readonly<Partial<ConntrackKernel>>;
}

export const variants: readonly ConntrackVariant[] = [
  {
    id: 'before',
    title: '11 expiration lists and the policies under the global ct_lock, taken twice per packet',
    source: 'Open vSwitch up to 2.17, lib/conntrack.c at cfba95158',
    kernel: {},
  },
  {
    id: 'v3',
    title: '11 MPSC queues; two threads may insert one tuple',
    source: 'ovs-dev 2021-June/383991, branch ct-scale 7ba072a13',
    kernel: { expiration: 'queues', duplicateInsertRace: true },
  },
  {
    id: 'v4',
    title: '11 MPSC queues; the insert looks again under ct_lock',
    source: 'ovs-dev, v4 of "conntrack: improve multithread scalability" (the seed)',
    kernel: { expiration: 'queues' },
  },
  {
    id: 'merged',
    title: '100 RCU lists, swept without a lock; ct_lock around creation and removal',
    source: 'Open vSwitch 3.0, 3d9c1b855 to b15952590',
    kernel: { expiration: 'rculists' },
  },
  {
    id: 'merged_3_0_bug',
    title: 'merged, with the sweep cursor that never leaves a list longer than its budget',
    source: 'Open vSwitch 3.0 and 3.1; fixed by b0d9a1efc',
    kernel: { expiration: 'rculists', sweepCursorBug: true },
  },
  {
    id: 'buckets',
    title: 'a lock and a list per bucket; expired entries are also removed by lookups',
    source: "P. Valerio's RFC, patchwork 163820916292.3001886",
    kernel: { expiration: 'buckets' },
  },
];
