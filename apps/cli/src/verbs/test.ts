// `kwb test`
import type { Command } from 'commander';
import type { TestVerbOptions } from '../testing/test.js';

export function addTest(program: Command): void {
  program
    .command('test')
    .description('lint, format, package arrows, build, unit tests, end-to-end tests; ends with "N passed, N failed"')
    .option(
      '--all',
      'run every unit test again, also those whose inputs did not change since they last passed; properties draw new cases, and tests that can do more of the same do',
    )
    .option('--affected', 'only unit tests of packages that changed since --base, and of what uses them')
    .option('--base <ref>', 'git ref that --affected compares with', 'main')
    .option('--no-e2e', 'leave out the end-to-end tests, which need a Docker engine')
    .action(async (options: TestVerbOptions) => {
      const { test } = await import('../testing/test.js');
      await test(options);
    });
}
