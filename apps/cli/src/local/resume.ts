// `kwb resume`: what a run did not finish, into a new run directory that holds all of it.
import { codeFingerprint } from '@kworkbench/experiment';
import { runAndReport, type LocalOptions } from './run.js';
import { openRun, scenarioOf } from './stored.js';

export async function resume(path: string, options: LocalOptions): Promise<void> {
  const stored = openRun('resume', path);
  const { scenario, brought } = await scenarioOf('resume', stored);
  const sameCode = stored.code === codeFingerprint(scenario.mechanism.name);
  if (!sameCode && !options.quiet) {
    process.stderr.write(`kwb: ${path} was run by other code than this; its finished cells are not taken over\n`);
  }
  await runAndReport('resume', scenario, { ...options, brought }, sameCode ? stored : undefined);
}
