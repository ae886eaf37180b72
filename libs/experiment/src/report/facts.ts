// What was run, in a line: the head of the text report and of the page.
import { formatGiB } from './format.js';
import type { Readable } from './readable.js';
import { scalarText } from './words.js';

/** Paths that have a fact of their own. */
const NAMED = new Set(['machine.cpus', 'machine.memory']);

export function factsOf({ report, axes, fixed }: Readable): string[] {
  const { machine, seed, replications, workload } = report;
  const swept = new Set(axes.map(({ path }) => path));
  const own = (path: string, text: string) => (swept.has(path) || swept.has('machine.profile') ? [] : [text]);
  return [
    ...(workload === '' ? [] : [workload]),
    ...own('machine.cpus', `${machine.cpus} CPUs`),
    ...own('machine.memory', formatGiB(machine.memoryBytes)),
    `seed ${seed}`,
    `${replications} ${replications === 1 ? 'replication' : 'replications'}`,
    ...fixed.filter(({ path }) => !NAMED.has(path)).map(({ path, values }) => `${path} ${scalarText(values[0]!)}`),
    ...axes.map(({ path, values }) => `${path} ${values.map(scalarText).join(', ')}`),
  ];
}
