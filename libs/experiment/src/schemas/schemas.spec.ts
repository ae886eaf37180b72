import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publishedSchemas } from './schemas.js';

describe('the JSON Schemas in schemas/', () => {
  it.each(Object.entries(publishedSchemas()))('%s is what the code says (else: npm run schemas)', (name, schema) => {
    const committed = JSON.parse(readFileSync(new URL(`../../../../schemas/${name}`, import.meta.url), 'utf8'));
    expect(committed).toEqual(JSON.parse(JSON.stringify(schema)));
  });
});
