import { defineConfig } from 'vitest/config';

// One configuration for every package. Workspace imports resolve to sources (the `kwb-source` condition),
// so that a unit test never runs against a stale build; worker threads and processes use `dist`.
export default defineConfig({
  resolve: { conditions: ['kwb-source', 'module', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['kwb-source', 'module', 'node', 'import', 'default'] } },
  test: {
    include: ['src/**/*.spec.ts'],
    passWithNoTests: false,
    testTimeout: 30_000,
  },
});
