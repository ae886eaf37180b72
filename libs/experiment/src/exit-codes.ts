// Exit codes of the product: k6's numbers where the meaning is the same. Help, docs and tests are made from this table.

export enum ExitCode {
  Passed = 0,
  InternalError = 1,
  ThresholdFailed = 99,
  TimedOut = 102,
  BadScenario = 104,
  Cancelled = 105,
  ModelFailed = 107,
  RegressionFound = 111,
  InvariantViolated = 112,
  ReplayDiffers = 113,
  BackendUnavailable = 114,
}

const DESCRIPTIONS: Readonly<Record<ExitCode, string>> = {
  [ExitCode.Passed]: 'passed',
  [ExitCode.InternalError]: 'internal error',
  [ExitCode.ThresholdFailed]: 'a threshold or a published figure failed',
  [ExitCode.TimedOut]: 'time-out',
  [ExitCode.BadScenario]: 'bad scenario or usage',
  [ExitCode.Cancelled]: 'cancelled',
  [ExitCode.ModelFailed]: 'a model threw',
  [ExitCode.RegressionFound]: 'regression found by compare',
  [ExitCode.InvariantViolated]: 'an invariant was violated',
  [ExitCode.ReplayDiffers]: 'a replay gave other bytes',
  [ExitCode.BackendUnavailable]: 'the backend is not available here (never a pass)',
};

export const exitCodes: readonly { readonly code: ExitCode; readonly description: string }[] = Object.entries(
  DESCRIPTIONS,
)
  .map(([code, description]) => ({ code: Number(code) as ExitCode, description }))
  .sort((a, b) => a.code - b.code);

export function describeExitCode(code: ExitCode): string {
  return DESCRIPTIONS[code];
}
