import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.config.js';

// Whole systems: one file at a time (they share a machine's CPUs and one Docker engine), and a long time for each.
// Every wait inside a test has its own, shorter limit; these only end a test that hangs.
export default mergeConfig(
  base,
  defineConfig({
    test: { fileParallelism: false, testTimeout: 300_000, hookTimeout: 600_000 },
  }),
);
