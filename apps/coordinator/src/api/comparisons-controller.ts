// /api/v1/comparisons: two experiments beside one another.
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Experiments } from '../experiments.js';
import { checked } from './request.js';
import { compareQuery } from './schemas.js';

@Controller('api/v1/comparisons')
export class ComparisonsController {
  constructor(@Inject(Experiments) private readonly experiments: Experiments) {}

  @Get()
  compare(@Query() query: unknown) {
    const { base, head, effect } = checked(compareQuery, query);
    return this.experiments.compare(base, head, effect);
  }
}
