// Several mechanisms on one machine in one run, as one mechanism: what the rest of the product sees is the mechanism
// under study with more metrics, so that plans, thresholds, statistics and reports need to know nothing of it.
import type { Beside, Cell, Mechanism, MetricSpec } from '@kworkbench/mechanism';
import { simulateOnHost } from '@kworkbench/mechanism';
import { type BesideMechanism, besideMechanisms, mechanisms } from './mechanisms.js';

export interface NamedBeside {
  readonly name: string;
  readonly mechanism: BesideMechanism;
}

/** The cell as a mechanism beside the one under study sees it: the same machine, its own kernel, workload and constants. */
export function cellBeside(cell: Cell, beside: Beside): Cell {
  const { mechanism, modelVersion, kernel, workload } = beside;
  const machine = { ...cell.machine, constants: { ...beside.constants, ...cell.machine.constants } };
  return { mechanism, modelVersion, kernel, machine, workload, beside: [], seed: cell.seed };
}

/** The mechanism under study, with others on its machine; itself when there are none. */
export function together(study: Mechanism, others: readonly NamedBeside[]): Mechanism {
  if (others.length === 0) return study;
  const { attachable } = study;
  if (attachable === undefined) throw new TypeError(`${study.name} cannot share a machine`);
  const metrics: MetricSpec[] = others.flatMap(({ name, mechanism }) =>
    mechanism.metrics.map((metric) => ({ ...metric, name: `${name}_${metric.name}`, help: `${name}: ${metric.help}` })),
  );
  const headline = others.flatMap(({ name, mechanism }) =>
    (mechanism.headline ?? mechanism.metrics.slice(0, 2).map((metric) => metric.name)).map((m) => `${name}_${m}`),
  );
  const besideOf = (cell: Cell): readonly Beside[] => cell.beside ?? [];
  return {
    ...study,
    metrics: [...study.metrics, ...metrics],
    headline: [...(study.headline ?? study.metrics.map(({ name }) => name)).slice(0, 4), ...headline.slice(0, 4)],
    check: (cell) => [
      ...study.check(cell),
      ...besideOf(cell).flatMap((beside, index) =>
        others[index]!.mechanism.check(cellBeside(cell, beside)).map((problem) => ({
          ...problem,
          path: `beside.${index}.${problem.path}`,
        })),
      ),
    ],
    describeWorkload: (cell) =>
      [
        study.describeWorkload(cell),
        ...besideOf(cell).map((beside, index) => others[index]!.mechanism.describeWorkload(cellBeside(cell, beside))),
      ].join(' · beside '),
    simulate: (cell, sink, trace) =>
      simulateOnHost(
        [
          { name: '', mechanism: attachable, cell },
          ...besideOf(cell).map((beside, index) => ({
            name: beside.name,
            mechanism: others[index]!.mechanism.attachable,
            cell: cellBeside(cell, beside),
          })),
        ],
        sink,
        trace,
      ),
  };
}

/** What runs a cell in this build; a string that says what is missing when nothing does. */
export function mechanismOf(cell: Cell): Mechanism | string {
  const study = mechanisms.get(cell.mechanism);
  if (!study) return `no mechanism ${cell.mechanism} in this build`;
  if (study.modelVersion !== cell.modelVersion) return otherVersion(cell, study);
  const others: NamedBeside[] = [];
  for (const beside of cell.beside ?? []) {
    const mechanism = besideMechanisms().get(beside.mechanism);
    if (!mechanism) return `no mechanism ${beside.mechanism} in this build that can run beside another`;
    if (mechanism.modelVersion !== beside.modelVersion) return otherVersion(beside, mechanism);
    others.push({ name: beside.name, mechanism });
  }
  return together(study, others);
}

const otherVersion = (wanted: Cell | Beside, { modelVersion }: Mechanism): string =>
  `the cell is of model version ${wanted.modelVersion} of ${wanted.mechanism}, this build has ${modelVersion}`;
