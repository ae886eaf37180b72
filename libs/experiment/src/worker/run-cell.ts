// One cell from its content to its result, in whatever thread this is called.
import type { Cell, Mechanism } from '@kworkbench/mechanism';
import { tee, TelemetryDigest, type CellOutcome, type TelemetrySink, type TraceRecorder } from '@kworkbench/telemetry';
import { performance } from 'node:perf_hooks';
import { placeInBrought } from '../brought-variant.js';
import type { CellFailureKind, CellResult } from '../cell.js';
import { mechanismOf } from '../together.js';

export class CellError extends Error {
  override readonly name = 'CellError';

  constructor(
    readonly kind: CellFailureKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Runs a cell and takes the digest of its telemetry. Synchronous.
 * @param sink receives the telemetry after the digest has seen it, and may take the buffers away.
 * @param idleSeconds seconds that the sink has spent waiting so far; they are not counted as work.
 * @param trace shows the run; the digest is the same with and without it.
 * @throws CellError `invariant` or `model`.
 */
export function runCell(
  id: string,
  cell: Cell,
  sink: TelemetrySink,
  idleSeconds: () => number = () => 0,
  trace?: TraceRecorder,
): CellResult {
  const mechanism = mechanismOf(cell);
  if (typeof mechanism === 'string') throw new CellError('model', mechanism);
  const digest = new TelemetryDigest();
  const startedMs = performance.now();
  try {
    const outcome = positiveZeros(mechanism.simulate(cell, tee(digest, sink), trace));
    checkMetrics(mechanism, outcome);
    const wallSeconds = (performance.now() - startedMs) / 1000 - idleSeconds();
    return { ...outcome, cellId: id, digest: digest.outcome(outcome), wallSeconds };
  } catch (error) {
    throw toCellError(error);
  }
}

/** The result of a model crosses JSON and databases, and not all of them keep the sign of a zero. */
function positiveZeros(outcome: CellOutcome): CellOutcome {
  const metrics = Object.fromEntries(Object.entries(outcome.metrics).map(([name, value]) => [name, value + 0]));
  return { ...outcome, metrics };
}

function checkMetrics(mechanism: Mechanism, { metrics }: CellOutcome): void {
  const declared = new Set(mechanism.metrics.map((metric) => metric.name));
  for (const name of declared) {
    if (!Object.hasOwn(metrics, name)) throw new CellError('model', `metric ${name} is declared and missing`);
    if (!Number.isFinite(metrics[name]))
      throw new CellError('model', `metric ${name} is ${metrics[name]}, expected a finite number`);
  }
  const surplus = Object.keys(metrics).find((name) => !declared.has(name));
  if (surplus !== undefined) throw new CellError('model', `metric ${surplus} is not declared`);
}

function toCellError(error: unknown): CellError {
  if (error instanceof CellError) return error;
  if (!(error instanceof Error)) return new CellError('model', String(error));
  // By name, not by class: the machine and a mechanism from outside may not share the class.
  const brought = placeInBrought(error.stack);
  if (error.name === 'InvariantViolation') {
    const message = brought === undefined ? error.message : `${error.message} (${brought})`;
    return new CellError('invariant', message, { cause: error });
  }
  if (brought !== undefined)
    return new CellError('model', `${brought}: ${error.name}: ${error.message}`, { cause: error });
  const place = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return new CellError('model', `${error.name}: ${error.message}${place ? ` (${place.trim()})` : ''}`, {
    cause: error,
  });
}
