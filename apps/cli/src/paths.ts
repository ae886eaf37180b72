// Where things stand in the repository. This file runs as apps/cli/dist/paths.js, or from src under a test runner.
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');
export const SCENARIOS = join(ROOT, 'scenarios');

/** Data of `kwb up`, logs of the launcher; never under version control. */
export const STATE = join(ROOT, '.kwb');
