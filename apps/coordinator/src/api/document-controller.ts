// The API's own description, beside the schema that it refers to.
import { reportSchema } from '@kworkbench/experiment';
import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import { openApiDocument } from './openapi.js';

@Controller('api')
export class DocumentController {
  readonly #document = openApiDocument();
  readonly #report = z.toJSONSchema(reportSchema, { io: 'output' });

  @Get('openapi.json')
  openApi() {
    return this.#document;
  }

  @Get('report.schema.json')
  report() {
    return this.#report;
  }
}
