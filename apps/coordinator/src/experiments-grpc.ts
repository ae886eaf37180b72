// kworkbench.v1.Experiments over gRPC.
import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { ExperimentState, ExperimentsService, type Experiment, type ExperimentsServer } from '@kworkbench/contracts';
import { ScenarioError } from '@kworkbench/experiment';
import type { HostedService, Logger } from '@kworkbench/service-host';
import { QueueUnavailableError } from './cell-queues.js';
import { BadRequest, NoReport, type Experiments, type ExperimentView } from './experiments.js';
import { StoreUnavailableError, UnknownExperimentError, type StoredExperiment } from './store/index.js';

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

export function experimentsGrpc(experiments: Experiments, log: Logger): HostedService {
  /** A handler that answers with what `work` resolves to, or with the status of what it throws. */
  const unary =
    <Request, Response>(work: (request: Request) => Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
      work(call.request).then(
        (response) => callback(null, response),
        (error: Error) => callback(toStatus(error, log)),
      );
    };

  const implementation: ExperimentsServer = {
    submit: unary(async (request) => ({ experiment: toMessage(await experiments.submit(request)) })),
    get: unary(async ({ id }) => toMessage(await experiments.get(id))),
    list: unary(async ({ limit, beforeId }) => ({
      experiments: (await experiments.list(limit, beforeId)).map((experiment) =>
        toMessage({ experiment, progress: [] }),
      ),
    })),
    getReport: unary(async ({ id }) => ({ reportJson: await experiments.report(id) })),
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

function toStatus(error: Error, log: Logger): { code: status; details: string } {
  if (error instanceof ScenarioError) return { code: status.INVALID_ARGUMENT, details: error.lines().join('\n') };
  if (error instanceof BadRequest) return { code: status.INVALID_ARGUMENT, details: error.message };
  if (error instanceof UnknownExperimentError) return { code: status.NOT_FOUND, details: error.message };
  if (error instanceof NoReport) return { code: status.FAILED_PRECONDITION, details: error.message };
  if (error instanceof StoreUnavailableError || error instanceof QueueUnavailableError) {
    return { code: status.UNAVAILABLE, details: error.message };
  }
  log.error({ err: error }, 'request failed');
  return { code: status.INTERNAL, details: 'internal error; the log of the coordinator says more' };
}
