// padata as the rest of the product sees it.
import type { Cell, Mechanism } from '@kworkbench/mechanism';
import { check } from './check.js';
import { ideas } from './idea.js';
import { kernelSchema } from './kernel.js';
import { metrics } from './metrics.js';
import type { PadataCell } from './model/system.js';
import { profiles } from './profiles.js';
import { published } from './published.js';
import { attachable, simulate } from './simulate.js';
import { variants } from './variants.js';
import { workloadSchema } from './workloads.js';

/** Raised with every change of behaviour: a result of another version is never taken for one of this. */
export const MODEL_VERSION = 7;

function describeWorkload(cell: Cell): string {
  const { kind, guest, pages, prefaulted, maxThreads, jobs, work, neighbours } = (cell as PadataCell).workload;
  const size = `${(guest / 2 ** 30).toLocaleString('en')} GiB`;
  const memory = `${size} of ${prefaulted ? 'prefaulted' : 'cold'} ${pages === 'small' ? '4 KiB' : pages} pages`;
  const what = {
    pin: `pin of ${memory}`,
    guestStart: `start of a guest with ${memory}`,
    compute: `${work} s of plain work`,
    deferredInit: `struct pages of ${size} a node`,
  };
  const many = jobs > 1 ? ` · ${jobs} at a time` : '';
  const beside = neighbours > 0 ? ` · ${neighbours} spinners` : '';
  return `${what[kind]} · at most ${maxThreads} threads${many}${beside}`;
}

export const padata: Mechanism = {
  name: 'padata',
  title: 'multithreaded page pinning',
  modelVersion: MODEL_VERSION,
  variants,
  profiles,
  metrics,
  headline: [
    'job_seconds',
    'speedup_ratio',
    'workers',
    'guest_start_seconds',
    'mmap_lock_writes_total',
    'quota_overage_ratio',
    'neighbour_slowdown_ratio',
    'undo_seconds',
  ],
  published,
  kernelSchema,
  workloadSchema,
  check,
  describeWorkload,
  simulate,
  attachable,
  ideas,
};
