// reuseport as the rest of the product sees it.
import { type Cell, counted, type Mechanism } from '@kworkbench/mechanism';
import { check } from './check.js';
import { ideas } from './idea.js';
import { kernelSchema } from './kernel.js';
import { metrics } from './metrics.js';
import { connectionsOf } from './model/arrivals.js';
import type { ReuseportCell } from './model/system.js';
import { profiles } from './profiles.js';
import { published } from './published.js';
import { attachable, simulate } from './simulate.js';
import { variants } from './variants.js';
import { workloadSchema } from './workloads.js';

/** Raised with every change of behaviour: a result of another version is never taken for one of this. */
const MODEL_VERSION = 1;

function describeWorkload(cell: Cell): string {
  const { workload } = cell as ReuseportCell;
  const { oldListeners, newListeners, close, rate, reloads } = workload;
  const connections = counted(connectionsOf(workload), 'connection');
  const listeners = `${oldListeners.toLocaleString('en')} old and ${newListeners.toLocaleString('en')} new listeners`;
  if (workload.kind === 'queues') return `${connections} in queues · ${listeners} · close ${close}`;
  return `${connections} · ${rate.toLocaleString('en')}/s · ${listeners} · ${counted(reloads, 'reload')}`;
}

export const reuseport: Mechanism = {
  name: 'reuseport',
  title: 'SO_REUSEPORT listeners that close',
  modelVersion: MODEL_VERSION,
  variants,
  profiles,
  metrics,
  headline: [
    'connections_lost_total',
    'lost_per_reload_mean',
    'migrations_total',
    'hops_mean',
    'accept_latency_p99_seconds',
    'imbalance_ratio',
    'close_max_seconds',
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
