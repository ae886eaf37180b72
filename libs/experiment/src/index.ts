export { bringVariant, VariantFileError, type BroughtVariant } from './brought-variant.js';
export { durationSeconds, sizeBytes } from '@kworkbench/mechanism';
export * from './cell.js';
export { overdue } from './deadline.js';
export { brokenThreshold } from './early-abort.js';
export * from './exit-codes.js';
export * from './find.js';
export * from './limits.js';
export * from './mechanisms.js';
export * from './plan.js';
export * from './random.js';
export * from './scenario/parse.js';
export * from './scenario/problems.js';
export * from './scenario/scenario.js';
export * from './scenario/schema.js';
export type { ScenarioOverrides } from './scenario/overriding.js';
export * from './statistics.js';
export * from './thresholds.js';
export * from './rank-tests.js';
export * from './run.js';
export * from './worker/cell-pool.js';
export type { FrameConsumer } from './worker/cell-thread.js';
export { CellError, runCell } from './worker/run-cell.js';
export { traceCell, type TraceCellOptions, type TracedCell } from './worker/trace-cell.js';
export * from './report/build.js';
export * from './report/compare-reports.js';
export { EXPORT_FORMATS, type ExportFormat } from './report/exports.js';
export * from './report/format.js';
export { groupsOf } from './report/groups.js';
export {
  collectMaterial,
  seriesOfTable,
  type CellSource,
  type GroupMaterial,
  type Series,
} from './report/html/material.js';
export { toHtml } from './report/html/page.js';
export { toJUnit } from './report/junit.js';
export { collectProvenance } from './report/provenance.js';
export { renderComparison } from './report/render-comparison.js';
export { renderSummary, type RenderOptions } from './report/render.js';
export * from './report/schema.js';
export { ARCHIVE_FOLDER, CellArchive } from './results/cell-archive.js';
export { readCell, storedCells, type StoredCell } from './results/cell-folder.js';
export { codeFingerprint } from './results/fingerprint.js';
export { replayRun, type ReplayedCell } from './results/replay.js';
export { StoredRun } from './results/stored-run.js';
export * from './run-directory.js';
