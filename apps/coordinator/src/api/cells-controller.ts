// /api/v1/cells: outcomes and samples. A cell is keyed by its content and shared by all experiments.
import { isFailure } from '@kworkbench/experiment';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { Cells } from '../cells.js';
import { checked } from './request.js';
import { cellParams, noQuery, seriesParams, seriesQuery } from './schemas.js';

@Controller('api/v1/cells')
export class CellsController {
  constructor(@Inject(Cells) private readonly cells: Cells) {}

  @Get(':cellId')
  async get(@Param() params: unknown, @Query() query: unknown) {
    checked(noQuery, query);
    const { cellId } = checked(cellParams, params);
    const { outcome, header } = await this.cells.get(cellId);
    if (isFailure(outcome)) return { id: cellId, failure: { kind: outcome.kind, message: outcome.message } };
    const { digest, metrics, virtualSeconds, wallSeconds, events } = outcome;
    return { id: cellId, digest, metrics, virtualSeconds, wallSeconds, events, tables: header!.tables };
  }

  @Get(':cellId/series/:table')
  async series(@Param() params: unknown, @Query() query: unknown) {
    const { columns, ...range } = checked(seriesQuery, query);
    const answer = await this.cells.series({
      ...checked(seriesParams, params),
      ...range,
      ...(columns !== undefined && { columns: columns.split(',') }),
    });
    // Infinities and NaN become null: JSON has no others.
    return { ...answer, columns: answer.columns.map(({ spec, values }) => ({ ...spec, values: [...values] })) };
  }
}
