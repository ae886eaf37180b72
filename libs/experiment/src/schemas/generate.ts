// Writes the JSON Schemas to `schemas/` of the workspace: `npm run schemas` in this package, after a build.
import { writeFileSync } from 'node:fs';
import { publishedSchemas } from './schemas.js';

const folder = new URL('../../../../schemas/', import.meta.url);

for (const [name, schema] of Object.entries(publishedSchemas())) {
  writeFileSync(new URL(name, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
