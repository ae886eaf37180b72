// What a service counts. Labels are bounded: results are an enumeration, the mechanism is one per process; cell and
// experiment ids never become labels.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export const CELL_RESULTS = [
  'committed',
  'duplicate',
  'cancelled', // nobody needed the cell any more
  'failed', // a result too: an invariant, the model or the time limit
  'retried', // the surroundings failed; the cell is tried again
  'returned', // given back to the queue by a shutdown
] as const;
export type CellResultLabel = (typeof CELL_RESULTS)[number];

/** From a smoke test's cell to the longest that the time limit lets through. */
const CELL_SECONDS_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

export class ServiceMetrics {
  readonly registry = new Registry();
  readonly #cells = new Counter({
    name: 'kworkbench_service_cells_total',
    help: 'Attempts at cells, by how they ended',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #seconds = new Histogram({
    name: 'kworkbench_service_cell_seconds',
    help: 'Wall time of attempts that ended with an answer of the coordinator',
    buckets: CELL_SECONDS_BUCKETS,
    registers: [this.registry],
  });
  readonly frames = new Counter({
    name: 'kworkbench_service_frames_total',
    help: 'Telemetry frames sent to the coordinator',
    registers: [this.registry],
  });
  readonly active = new Gauge({
    name: 'kworkbench_service_active_cells',
    help: 'Cells that run now',
    registers: [this.registry],
  });

  constructor(mechanism: string, queueCounts: () => Promise<Readonly<Record<string, number>>>) {
    this.registry.setDefaultLabels({ mechanism });
    collectDefaultMetrics({ register: this.registry });
    for (const result of CELL_RESULTS) this.#cells.inc({ result }, 0);
    new Gauge({
      name: 'kworkbench_service_queue_depth',
      help: 'Jobs in the queue of this mechanism, by state',
      labelNames: ['state'],
      registers: [this.registry],
      async collect() {
        this.reset(); // an old depth is worse than none while Redis is away
        for (const [state, count] of Object.entries(await queueCounts())) this.set({ state }, count);
      },
    });
  }

  attemptEnded(result: CellResultLabel, wallSeconds?: number): void {
    this.#cells.inc({ result });
    if (wallSeconds !== undefined) this.#seconds.observe(wallSeconds);
  }
}
