// Writes schemas/openapi.json: `npm run openapi` in this package, after a build.
import { writeFileSync } from 'node:fs';
import { openApiDocument } from './openapi.js';

writeFileSync(
  new URL('../../../../schemas/openapi.json', import.meta.url),
  `${JSON.stringify(openApiDocument(), null, 2)}\n`,
);
