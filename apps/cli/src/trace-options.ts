// The options of a trace: what one cell did, for Perfetto.
import { durationSeconds, sizeBytes } from '@kworkbench/experiment';
import { InvalidArgumentError, Option, type Command } from 'commander';

export interface TraceCliOptions {
  readonly trace?: string;
  readonly traceCell?: string;
  readonly traceLimit: number;
  readonly traceWindow?: { readonly fromNs: number; readonly toNs: number };
}

const DEFAULT_LIMIT = '64MiB';

function size(text: string): number {
  const parsed = sizeBytes().safeParse(text);
  if (parsed.success && parsed.data >= 4096) return parsed.data;
  throw new InvalidArgumentError('expected a size of at least 4KiB, such as 64MiB');
}

function window(text: string): { fromNs: number; toNs: number } {
  const [from, to, ...rest] = text.split('..').map((end) => durationSeconds().safeParse(end));
  if (rest.length === 0 && from?.success && to?.success && from.data < to.data) {
    return { fromNs: Math.round(from.data * 1e9), toNs: Math.round(to.data * 1e9) };
  }
  throw new InvalidArgumentError('expected two times of the run, such as 1s..1.5s');
}

export const addTraceOptions = (command: Command): Command =>
  command
    .option(
      '--trace <file>',
      'write what one cell did (CPUs, tasks, locks, counters) to the file; ui.perfetto.dev opens it',
    )
    .option('--trace-cell <variant/n>', 'the cell to trace, e.g. before/0 (default: the first)')
    .addOption(
      new Option('--trace-limit <size>', 'the trace is not larger than this')
        .default(size(DEFAULT_LIMIT), DEFAULT_LIMIT)
        .argParser(size),
    )
    .addOption(
      new Option('--trace-window <from..to>', 'trace only this part of virtual time, e.g. 1s..1.5s').argParser(window),
    );
