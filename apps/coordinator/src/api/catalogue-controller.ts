// /api/v1/scenarios and /api/v1/mechanisms: what can be run here.
import type { DescribeResponse } from '@kworkbench/contracts';
import { Body, Controller, Get, HttpCode, HttpStatus, Inject, Param, Post, Query } from '@nestjs/common';
import { Catalogue } from '../catalogue.js';
import { checked } from './request.js';
import { scenarioBody } from './scenario-body.js';
import { nameParams, noQuery, submitQuery } from './schemas.js';

const summary = ({ name, title, modelVersion }: DescribeResponse) => ({ name, title, modelVersion });

@Controller('api/v1')
export class CatalogueController {
  constructor(@Inject(Catalogue) private readonly catalogue: Catalogue) {}

  @Get('scenarios')
  scenarios(@Query() query: unknown) {
    checked(noQuery, query);
    return { scenarios: this.catalogue.scenarios() };
  }

  @Get('scenarios/:name')
  scenario(@Param() params: unknown, @Query() query: unknown) {
    checked(noQuery, query);
    const { facts, yaml } = this.catalogue.scenario(checked(nameParams, params).name);
    return { ...facts, yaml };
  }

  @Post('scenarios/check')
  @HttpCode(HttpStatus.OK)
  check(@Body() body: unknown, @Query() query: unknown) {
    const { source = 'body' } = checked(submitQuery, query);
    return this.catalogue.check(scenarioBody(body), source);
  }

  @Get('mechanisms')
  mechanisms(@Query() query: unknown) {
    checked(noQuery, query);
    return { mechanisms: this.catalogue.mechanisms().map(summary) };
  }

  @Get('mechanisms/:name')
  mechanism(@Param() params: unknown, @Query() query: unknown): object {
    checked(noQuery, query);
    const described = this.catalogue.mechanism(checked(nameParams, params).name);
    const { variants, metrics, published, profiles, workloadSchemaJson, kernelSchemaJson } = described;
    return {
      ...summary(described),
      variants,
      metrics,
      published,
      profiles,
      workloadSchema: JSON.parse(workloadSchemaJson) as unknown,
      kernelSchema: JSON.parse(kernelSchemaJson) as unknown,
    };
  }
}
