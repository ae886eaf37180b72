// kworkbench.v1.Cells and kworkbench.v1.Catalogue over gRPC.
import { CatalogueService, CellsService, outcomeToMessage, tablesToMessage } from '@kworkbench/contracts';
import type { CatalogueServer, CellsServer, ScenarioFactsMessage } from '@kworkbench/contracts';
import { isFailure } from '@kworkbench/experiment';
import type { HostedService, Logger } from '@kworkbench/service-host';
import type { Catalogue, ScenarioFacts } from '../catalogue.js';
import type { Cells } from '../cells.js';
import { MAX_POINTS, MIN_POINTS } from '../limits.js';
import { BadRequest } from './request.js';
import { unaryHandlers } from './unary.js';

const CELL_ID = /^[0-9a-f]{32}$/;

export function cellsGrpc(cells: Cells, log: Logger): HostedService {
  const unary = unaryHandlers(log);
  const implementation: CellsServer = {
    getCell: unary(async ({ cellId }) => {
      const { outcome, header } = await cells.get(checkedCellId(cellId));
      if (isFailure(outcome)) {
        const { kind, message } = outcome;
        return { result: { $case: 'failure' as const, value: { kind, message } }, tables: [] };
      }
      const value = outcomeToMessage(outcome, outcome.digest, outcome.wallSeconds);
      return { result: { $case: 'outcome' as const, value }, tables: tablesToMessage(header!) };
    }),
    readSeries: unary(async ({ cellId, table, columns, from, to, maxPoints }) => {
      const bounded = maxPoints === 0 || (maxPoints >= MIN_POINTS && maxPoints <= MAX_POINTS);
      if (!bounded) throw BadRequest.of(`max_points: expected ${MIN_POINTS} to ${MAX_POINTS}, got ${maxPoints}`);
      const answer = await cells.series({
        cellId: checkedCellId(cellId),
        table,
        columns: columns.length > 0 ? columns : undefined,
        from,
        to,
        maxPoints: maxPoints || undefined,
      });
      return {
        samples: answer.samples,
        thinned: answer.thinned,
        columns: answer.columns.map(({ spec, values }) => ({ column: { ...spec }, values: [...values] })),
      };
    }),
  };
  return { definition: CellsService, implementation: { ...implementation } };
}

export function catalogueGrpc(catalogue: Catalogue, log: Logger): HostedService {
  const unary = unaryHandlers(log);
  const implementation: CatalogueServer = {
    listScenarios: unary(() => ({ scenarios: catalogue.scenarios().map(factsMessage) })),
    getScenario: unary(({ name }) => {
      const { facts, yaml } = catalogue.scenario(name);
      return { facts: factsMessage(facts), yaml };
    }),
    checkScenario: unary(async ({ scenario, sourceName }) => ({
      facts: factsMessage(await catalogue.check(scenario, sourceName)),
    })),
    listMechanisms: unary(() => ({ mechanisms: catalogue.mechanisms() })),
  };
  return { definition: CatalogueService, implementation: { ...implementation } };
}

function checkedCellId(text: string): string {
  if (CELL_ID.test(text)) return text;
  throw BadRequest.of(`cell_id: expected 32 hex digits, got ${JSON.stringify(text.slice(0, 60))}`);
}

function factsMessage({ title = '', description = '', variants, ...facts }: ScenarioFacts): ScenarioFactsMessage {
  return { ...facts, title, description, variants: [...variants] };
}
