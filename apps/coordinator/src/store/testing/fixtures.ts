// Experiments and cells for the store's tests. Their content follows from a number, so that a process that was killed
// and the one that looks at what it left agree on what should be there.
import { cellId, type CellFailure, type CellResult, type PlannedCell } from '@kworkbench/experiment';
import type { Frame, TelemetryHeader } from '@kworkbench/telemetry';
import type { CellCommit, NewExperiment } from '../store.js';

export type ResultCommit = Extract<CellCommit, { result: CellResult }>;

export const HEADER: TelemetryHeader = {
  tables: [
    {
      name: 'memory',
      help: 'Memory of the machine',
      columns: [
        { name: 'time_seconds', unit: 'seconds', help: 'Virtual time' },
        { name: 'mem_available_bytes', unit: 'bytes', help: 'MemAvailable' },
      ],
    },
    {
      name: 'cleanup',
      help: 'The cleanup worker',
      columns: [{ name: 'time_seconds', unit: 'seconds', help: 'Virtual time' }],
    },
  ],
};

export function newExperiment(id: string, more: Partial<NewExperiment> = {}): NewExperiment {
  return {
    id,
    scenario: 'netns-unshare-storm',
    sourceName: 'storm.yaml',
    document: `kind: Scenario\n# ${id} ünïcödé\n`,
    cellsTotal: 2,
    submittedAt: '2026-11-21T00:00:00.000Z',
    ...more,
  };
}

export function plannedCell(seed: number, variant = 'before'): PlannedCell {
  const cell = {
    mechanism: 'netns',
    modelVersion: 1,
    kernel: { variant },
    machine: { profile: 'test', cpus: 40, memoryBytes: 70 * 2 ** 30, hz: 250, constants: { createBaseNs: 2.5e6 } },
    workload: { cycles: 50_000 },
    seed,
  };
  return { id: cellId(cell), cell, variant, point: { 'machine.cpus': 40 }, replication: seed };
}

/** `frames` frames that take turns with the tables, `rows` rows each. */
export function resultCommit(cell: string, seed = 1, frames = 4, rows = 16): ResultCommit {
  return {
    cellId: cell,
    mechanism: 'netns',
    header: HEADER,
    frames: Array.from({ length: frames }, (_, sequence) => frame(seed, sequence, rows)),
    result: {
      cellId: cell,
      metrics: { mem_available_dip_bytes: 14.1e9 + seed, mem_slope_bytes_per_second: -0, loop_seconds: 120.25 },
      histograms: [
        {
          name: 'unshare_latency_seconds',
          unit: 'seconds',
          help: 'One unshare',
          scale: 1e-9,
          total: 0,
          min: Infinity,
          max: -Infinity,
          sum: 0,
          indexes: [1, 5],
          counts: [3, 4],
        },
      ],
      virtualSeconds: 522.5,
      events: 2_000_000,
      digest: seed.toString(16).padStart(64, '0'),
      wallSeconds: 2.25,
    },
  };
}

export function failure(
  cellId: string,
  kind: CellFailure['kind'],
  message = 'why',
): { cellId: string; failure: CellFailure } {
  return { cellId, failure: { cellId, kind, message } };
}

/** What readSeries must give for a table of a commit. */
export function expectedColumns(commit: ResultCommit, table: number): number[][] {
  const frames = commit.frames.filter((frame) => frame.table === table);
  return commit.header.tables[table]!.columns.map((_, column) => frames.flatMap((f) => [...f.columns[column]!]));
}

function frame(seed: number, sequence: number, rows: number): Frame {
  const table = sequence % HEADER.tables.length;
  const columns = HEADER.tables[table]!.columns.map((_, column) =>
    Float64Array.from({ length: rows }, (_, row) => seed * 1e6 + sequence * 1e3 + row + column / 3),
  );
  return { sequence, table, rows, columns };
}
