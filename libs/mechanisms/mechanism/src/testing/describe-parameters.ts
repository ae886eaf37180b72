// That everything which `--set` can name reaches the model: each row changes one value, and something that is measured
// must change with it. The specs of a mechanism say what a value needs to matter.
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Mechanism } from '../mechanism.js';
import type { CellOptionsOf, cellsOf } from './cells.js';

export interface ParameterRow<Kernel> {
  readonly path: string;
  /** Another value than the one there. */
  readonly value: unknown;
  /** What it needs to matter. */
  readonly needs: CellOptionsOf<Kernel>;
}

/** A constant of the profile, what it needs to matter, and another value than the one there. */
export type ConstantRow<Kernel> = readonly [
  name: string,
  needs: CellOptionsOf<Kernel>,
  otherThan: (value: number) => number,
];

export interface Parameters<Kernel> {
  readonly mechanism: Mechanism;
  readonly cells: Pick<ReturnType<typeof cellsOf<Kernel>>, 'cellOf' | 'run'>;
  readonly workloadSchema: z.ZodObject;
  readonly kernelSchema: z.ZodObject;
  /** A row for every parameter of the workload. */
  readonly workload: readonly ParameterRow<Kernel>[];
  /** A row for every kernel option but those in `elsewhere`, which other specs show. */
  readonly kernel: readonly ParameterRow<Kernel>[];
  readonly elsewhere: readonly string[];
  readonly constants: readonly ConstantRow<Kernel>[];
  /** Changes of the machine, and the cell that they are made to. */
  readonly machine: readonly (readonly [string, CellOptionsOf<Kernel>])[];
  readonly machineNeeds: CellOptionsOf<Kernel>;
  /** Values that cannot be, besides a text that is none of them for each row. */
  readonly refused: readonly (readonly ['workload' | 'kernel', string, unknown])[];
}

export function describeParameters<Kernel>(parameters: Parameters<Kernel>): void {
  const { mechanism, workloadSchema, kernelSchema, workload, kernel } = parameters;
  const { cellOf, run } = parameters.cells;
  type Options = CellOptionsOf<Kernel>;

  const measured = (options: Options): string => {
    expect(mechanism.check(cellOf(options))).toEqual([]);
    const { metrics, telemetry } = run(options);
    return JSON.stringify([metrics, telemetry.frames.map(({ columns }) => columns.map((column) => [...column]))]);
  };
  const paths = (rows: readonly ParameterRow<Kernel>[]): readonly string[] => rows.map(({ path }) => path);

  describe('--set workload', () => {
    it('has a row here for every parameter', () => {
      expect(paths(workload).toSorted()).toEqual(Object.keys(workloadSchema.shape).toSorted());
    });

    it.each(workload)('$path: $value', ({ path, value, needs }) => {
      expect(measured({ ...needs, workload: { ...needs.workload, [path]: value } })).not.toBe(measured(needs));
    });
  });

  describe('--set kernel', () => {
    it('has a row here for every option', () => {
      const all = [...paths(kernel), ...parameters.elsewhere];
      expect(all.toSorted()).toEqual(Object.keys(kernelSchema.shape).toSorted());
    });

    it.each(kernel)('$path: $value', ({ path, value, needs }) => {
      const changed = { ...needs.kernel, [path]: value } as Partial<Kernel>;
      expect(measured({ ...needs, kernel: changed })).not.toBe(measured(needs));
    });
  });

  describe('--set machine.constants', () => {
    it.each(parameters.constants)('%s', (name, needs, otherThan) => {
      const other = otherThan(cellOf(needs).machine.constants[name]!);
      expect(measured({ ...needs, constants: { ...needs.constants, [name]: other } })).not.toBe(measured(needs));
    });
  });

  describe('--set machine', () => {
    it.each(parameters.machine)('%s', (_what, change) => {
      const needs = parameters.machineNeeds;
      expect(measured({ ...needs, ...change })).not.toBe(measured(needs));
    });
  });

  describe('what cannot be', () => {
    const text = 'a string that is none of them';
    const cases = [
      ...workload.map(({ path }) => ['workload', path, text] as const),
      ...kernel.map(({ path }) => ['kernel', path, text] as const),
      ...parameters.refused,
    ];

    it.each(cases)('is refused, with its place: %s.%s = %s', (part, path, value) => {
      const { success, error } = (part === 'kernel' ? kernelSchema : workloadSchema).safeParse({ [path]: value });
      expect(success).toBe(false);
      expect(error!.issues[0]!.path).toEqual([path]);
    });
  });
}
