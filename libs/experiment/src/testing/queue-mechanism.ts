// A small real mechanism for the tests of this package: a single server queue in closed form steps, so that plans,
// pools and reports are tested without the weight of a kernel model. Not exported from the package.
import { ratePerSecond, type Cell, type Mechanism } from '@kworkbench/mechanism';
import { Histogram, TableRecorder, type CellOutcome, type TelemetrySink } from '@kworkbench/telemetry';
import { z } from 'zod';
import { randomSource } from '../random.js';

class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

const kernelSchema = z.strictObject({
  serviceFactor: z.number().min(0.01).max(100).default(1),
  batch: z.int().min(1).max(64).default(1),
});

const workloadSchema = z.strictObject({
  items: z.int().min(1).max(10_000_000).default(2000),
  rate: ratePerSecond().default(500),
  /** What the cell does wrong, for the tests of the pool. */
  fault: z.enum(['none', 'throw', 'invariant', 'hang', 'nan', 'missing', 'undeclared', 'memory']).default('none'),
});

type Kernel = z.output<typeof kernelSchema>;
type Workload = z.output<typeof workloadSchema>;

function simulate(cell: Cell, sink: TelemetrySink): CellOutcome {
  const kernel = cell.kernel as Kernel;
  const workload = cell.workload as Workload;
  if (workload.fault === 'throw') throw new TypeError('the model fell over');
  if (workload.fault === 'invariant') throw new InvariantViolation('I1: created = freed + outstanding');
  if (workload.fault === 'hang') for (;;);
  if (workload.fault === 'memory') {
    const held: number[][] = [];
    for (;;) held.push(Array.from({ length: 1 << 16 }, (_, i) => i + held.length));
  }
  const recorder = new TableRecorder(sink, [
    {
      name: 'queue',
      help: 'The queue at every arrival.',
      columns: [
        { name: 'time_seconds', unit: 'seconds', help: 'Virtual time.' },
        { name: 'wait_seconds', unit: 'seconds', help: 'Wait of this item.' },
      ],
    },
  ]);
  const random = randomSource(cell.seed);
  const waits = new Histogram({ name: 'wait_seconds', unit: 'seconds', help: 'Waits.', scale: 1e-9 });
  const serviceSeconds = (cell.machine.constants.serviceNs! * 1e-9 * kernel.serviceFactor) / cell.machine.cpus;
  let now = 0;
  let freeAt = 0;
  for (let item = 0; item < workload.items; item++) {
    now += -Math.log(1 - random()) / workload.rate;
    const wait = Math.max(0, freeAt - now);
    freeAt = Math.max(freeAt, now) + serviceSeconds;
    waits.record(Math.round(wait * 1e9));
    recorder.row(0, [now, wait]);
  }
  recorder.end();
  const metrics: Record<string, number> = {
    wait_p99_seconds: waits.quantile(0.99) * 1e-9,
    backlog_bytes: Math.max(0, freeAt - now) * workload.rate * 4096,
    items_total: workload.items,
  };
  if (workload.fault === 'nan') metrics.backlog_bytes = NaN;
  if (workload.fault === 'missing') delete metrics.backlog_bytes;
  if (workload.fault === 'undeclared') metrics.surprise_total = 1;
  return { metrics, histograms: [waits.snapshot()], virtualSeconds: Math.max(now, freeAt), events: workload.items };
}

export const queueMechanism: Mechanism = {
  name: 'queue',
  title: 'A queue',
  modelVersion: 1,
  variants: [
    { id: 'before', title: 'one at a time', source: 'here', kernel: {} },
    { id: 'fast', title: 'twice as fast', source: 'here', kernel: { serviceFactor: 0.5 } },
    { id: 'same', title: 'the same under another name', source: 'here', kernel: { serviceFactor: 1 } },
  ],
  profiles: [
    {
      id: 'small',
      title: 'A small machine',
      cpus: 4,
      memoryBytes: 8 * 2 ** 30,
      hz: 250,
      constants: [
        {
          name: 'serviceNs',
          value: 6e6,
          unit: 'ns',
          basis: 'assumed',
          source: 'here',
          help: 'Work.',
          min: 1,
          max: 1e9,
        },
      ],
    },
  ],
  metrics: [
    { name: 'wait_p99_seconds', unit: 'seconds', help: 'Wait, 99th percentile.', better: 'lower' },
    { name: 'backlog_bytes', unit: 'bytes', help: 'Left at the end.', better: 'lower' },
    { name: 'items_total', unit: 'total', help: 'Items.', better: 'none' },
  ],
  published: [
    {
      id: 'items',
      title: 'before: items',
      source: 'here',
      variant: 'before',
      metric: 'items_total',
      expected: 2000,
      low: 1900,
      high: 2100,
      basis: 'input',
      requires: { 'machine.cpus': 4, 'workload.items': 2000 },
    },
    {
      id: 'items-wrong',
      title: 'before: items, as somebody else counted them',
      source: 'elsewhere',
      variant: 'before',
      metric: 'items_total',
      expected: 4000,
      low: 3000,
      high: 5000,
      basis: 'predicted',
      requires: { 'machine.cpus': 8 },
    },
  ],
  kernelSchema,
  workloadSchema,
  check: (cell) => {
    const { items } = cell.workload as Workload;
    return [
      ...(items > 1_000_000 && cell.machine.memoryBytes < 2 ** 30
        ? [{ path: 'workload.items', expected: 'at most 1000000 with less than 1GiB', got: items }]
        : []),
      // Between two values that can run, so that only a search comes to it.
      ...(items > 20 && items < 40
        ? [{ path: 'workload.items', expected: 'at most 20 or at least 40', got: items }]
        : []),
    ];
  },
  describeWorkload: (cell) => `${(cell.workload as Workload).items.toLocaleString('en')} items`,
  simulate,
};
