// What the coordinator counts. Labels are bounded; cell and experiment ids never become labels.
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

export class CoordinatorMetrics {
  readonly registry = new Registry();
  readonly cells = new Counter({
    name: 'kworkbench_coordinator_cells_total',
    help: 'Outcomes of cells that services published, by what became of them',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly frames = new Counter({
    name: 'kworkbench_coordinator_frames_total',
    help: 'Telemetry frames received',
    registers: [this.registry],
  });
  readonly openStreams = new Gauge({
    name: 'kworkbench_coordinator_open_streams',
    help: 'Cells that services publish now',
    registers: [this.registry],
  });
  readonly experiments = new Counter({
    name: 'kworkbench_coordinator_experiments_total',
    help: 'Experiments by event in their life',
    labelNames: ['event'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const result of ['committed', 'duplicate', 'failure_committed', 'failure_duplicate'])
      this.cells.inc({ result }, 0);
    for (const event of ['submitted', 'completed', 'failed', 'cancelled']) this.experiments.inc({ event }, 0);
  }
}
