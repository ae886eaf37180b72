// Everything that must hold before a change goes in.
import { ExitCode } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { add, countsLine, NOTHING, withFailure } from './counts.js';
import { testSteps } from './steps.js';

export interface TestVerbOptions {
  readonly all?: boolean;
  readonly affected?: boolean;
  readonly base: string;
  /** False with --no-e2e. */
  readonly e2e: boolean;
}

export async function test(options: TestVerbOptions): Promise<void> {
  if (options.all && options.affected) {
    throw new CliError(ExitCode.BadScenario, 'test: --all and --affected contradict each other; give one of them');
  }
  let interrupted = false;
  process.on('SIGINT', () => (interrupted = true));

  let counts = NOTHING;
  const summary: string[] = [];
  const failed: string[] = [];
  const steps = testSteps({
    all: options.all ?? false,
    affectedSince: options.affected ? options.base : undefined,
    endToEnd: options.e2e,
  });
  for (const step of steps) {
    process.stdout.write(`\n== ${step.name}\n`);
    const started = performance.now();
    const result = await step.run();
    if (interrupted) throw new CliError(ExitCode.Cancelled, `test: cancelled during ${step.name}`);
    // A check that fails without a failing test must show in the counts too: "0 failed" would be a lie.
    const silent = !result.ok && result.counts.failures.length === 0;
    counts = add(counts, silent ? withFailure(result.counts, `${step.name}: see above`) : result.counts);
    if (!result.ok) failed.push(step.name);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    summary.push(`${step.name.padEnd(12)} ${result.ok ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)} s`);
  }
  process.stdout.write(`\n${summary.join('\n')}\n`);
  if (failed.length > 0) process.stdout.write(`failed: ${failed.join(', ')}\n`);
  for (const failure of counts.failures) process.stdout.write(`  ${failure}\n`);
  process.stdout.write(`${countsLine(counts)}\n`);
  if (failed.length > 0) process.exitCode = ExitCode.InternalError;
}
