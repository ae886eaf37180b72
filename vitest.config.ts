import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// One configuration for every package. Workspace imports resolve to sources (the `kwb-source` condition),
// so that a unit test never runs against a stale build; worker threads and processes use `dist`.
// No `import` here: vitest hands conditions to Node as well, and a CommonJS package's require() would then get ES modules.
const conditions = ['kwb-source', 'module', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.spec.ts'],
    setupFiles: [fileURLToPath(new URL('vitest.setup.ts', import.meta.url))],
    passWithNoTests: false,
    testTimeout: 30_000,
    // Hooks start and stop real servers; on two busy cores PostgreSQL alone takes longer than the default of 10 s.
    hookTimeout: 60_000,
    // `kwb test` sums its counts from the JSON files; Nx keeps them with the cached result.
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
  },
});
