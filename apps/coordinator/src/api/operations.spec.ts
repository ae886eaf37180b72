import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CatalogueController } from './catalogue-controller.js';
import { CellsController } from './cells-controller.js';
import { ComparisonsController } from './comparisons-controller.js';
import { ExperimentsController } from './experiments-controller.js';
import { openApiDocument } from './openapi.js';
import { OPERATIONS } from './operations.js';

/** `METHOD /path/{parameter}` of every handler. */
function routesOf(controller: new (...parts: never[]) => object): string[] {
  const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
  return Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
    const handler = (controller.prototype as Record<string, object>)[name]!;
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const path = `/${base}/${Reflect.getMetadata(PATH_METADATA, handler) as string}`;
    return [`${RequestMethod[method]} ${path.replace(/\/+$/, '').replace(/:(\w+)/g, '{$1}')}`.replace('//', '/')];
  });
}

describe('the OpenAPI document', () => {
  it('has every route that the controllers have, and no other', () => {
    const routes = [ExperimentsController, ComparisonsController, CellsController, CatalogueController].flatMap(
      routesOf,
    );
    const documented = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(routes.toSorted()).toEqual(documented.toSorted());
  });

  it('is valid OpenAPI', async () => {
    // A plain copy, without the file beside it that the report's schema is in.
    const text = JSON.stringify(openApiDocument()).replace('"report.schema.json"', '"#/components/schemas/Problem"');
    expect(await new Validator().validate(JSON.parse(text) as Record<string, unknown>)).toMatchObject({ valid: true });
  });

  it('in schemas/ is what the code says (else: npm run openapi)', () => {
    const committed = JSON.parse(readFileSync(new URL('../../../../schemas/openapi.json', import.meta.url), 'utf8'));
    expect(committed).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  });

  it('names each operation once', () => {
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
  });
});
