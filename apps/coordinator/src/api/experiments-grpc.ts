// kworkbench.v1.Experiments over gRPC.
import {
  CellState,
  ExperimentState,
  ExperimentsService,
  type Experiment,
  type ExperimentsServer,
  type PlannedCell as PlannedCellMessage,
} from '@kworkbench/contracts';
import { isFailure } from '@kworkbench/experiment';
import type { HostedService, Logger } from '@kworkbench/service-host';
import type { Cells, CellState as CellView } from '../cells.js';
import type { Experiments, ExperimentView } from '../experiments.js';
import type { StoredExperiment } from '../store/index.js';
import { toStatus, unaryHandlers } from './unary.js';

const STATES: Readonly<Record<StoredExperiment['state'], ExperimentState>> = {
  running: ExperimentState.RUNNING,
  completed: ExperimentState.COMPLETED,
  failed: ExperimentState.FAILED,
  cancelled: ExperimentState.CANCELLED,
};

export function toMessage({ experiment, progress }: ExperimentView): Experiment {
  // While it runs, the counts of the moment are fresher than the ones last written.
  const sum = (pick: (one: ExperimentView['progress'][number]) => number) =>
    progress.reduce((all, one) => all + pick(one), 0);
  return {
    id: experiment.id,
    scenario: experiment.scenario,
    state: STATES[experiment.state],
    cellsTotal: Math.max(
      experiment.cellsTotal,
      sum((one) => one.total),
    ),
    cellsDone: progress.length > 0 ? sum((one) => one.done) : experiment.cellsDone,
    cellsFailed: progress.length > 0 ? sum((one) => one.failed) : experiment.cellsFailed,
    submittedAt: experiment.submittedAt,
    endedAt: experiment.endedAt ?? '',
    verdict: experiment.verdict ?? '',
    progress: progress.map(({ variant, total, done }) => ({ variant, total, done })),
  };
}

export function experimentsGrpc(experiments: Experiments, cells: Cells, log: Logger): HostedService {
  const unary = unaryHandlers(log);
  const implementation: ExperimentsServer = {
    submit: unary(async (request) => ({ experiment: toMessage(await experiments.submit(request)) })),
    get: unary(async ({ id }) => toMessage(await experiments.get(id))),
    list: unary(async ({ limit, beforeId, cursor, state, scenario }) => {
      const page = await experiments.list({
        limit: limit || undefined,
        beforeId: beforeId || undefined,
        cursor: cursor || undefined,
        state: stateOf(state),
        scenario: scenario || undefined,
      });
      return {
        experiments: page.experiments.map((experiment) => toMessage({ experiment, progress: [] })),
        nextCursor: page.nextCursor ?? '',
      };
    }),
    listCells: unary(async ({ id, limit, cursor }) => {
      const page = await cells.list(id, { limit: limit || undefined, cursor: cursor || undefined });
      return { cells: page.cells.map(cellMessage), nextCursor: page.nextCursor ?? '' };
    }),
    getReport: unary(async ({ id }) => ({ reportJson: await experiments.report(id) })),
    compare: unary(async ({ baseId, headId, effect }) => ({
      comparisonJson: JSON.stringify(await experiments.compare(baseId, headId, effect)),
    })),
    cancel: unary(async ({ id }) => toMessage(await experiments.cancel(id))),
    watch: (call) => {
      const gone = new AbortController();
      call.on('cancelled', () => gone.abort());
      const send = async () => {
        for await (const view of experiments.watch(call.request.id, gone.signal)) {
          if (!call.write(toMessage(view))) await new Promise<void>((resolve) => void call.once('drain', resolve));
        }
      };
      send().then(
        () => call.end(),
        (error: Error) => call.destroy(Object.assign(error, toStatus(error, log))),
      );
    },
  };
  return { definition: ExperimentsService, implementation: { ...implementation } };
}

function stateOf(state: ExperimentState): StoredExperiment['state'] | undefined {
  return Object.entries(STATES).find(([, message]) => message === state)?.[0] as StoredExperiment['state'] | undefined;
}

function cellMessage({ planned, outcome }: CellView): PlannedCellMessage {
  const { id, variant, point, replication, cell } = planned;
  const failure = outcome && isFailure(outcome) ? outcome : undefined;
  return {
    id,
    variant,
    pointJson: JSON.stringify(point),
    replication,
    seed: cell.seed,
    state: outcome === undefined ? CellState.WAITING : failure ? CellState.FAILED : CellState.DONE,
    digest: outcome && !isFailure(outcome) ? outcome.digest : '',
    failureKind: failure?.kind ?? '',
    failureMessage: failure?.message ?? '',
  };
}
