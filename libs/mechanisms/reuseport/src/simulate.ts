// Runs one cell: builds the machine of its profile, puts a server with its clients on it and lets it end.
import { DEFAULT_HOST_KERNEL, buildHost, type Attachable, type Cell, simulateAlone } from '@kworkbench/mechanism';
import type { CellOutcome, TelemetrySink } from '@kworkbench/telemetry';
import { ReuseportSystem } from './model/system.js';
import { tables } from './model/telemetry.js';
import type { AttachedPolicy } from './policy/policy.js';

const attachableWith = (policy?: AttachedPolicy): Attachable => ({
  host: (cell, tracer) => buildHost(cell.machine, cell.seed, DEFAULT_HOST_KERNEL, tracer),
  tables,
  attach: (place) => new ReuseportSystem(place, policy),
});

export const attachable = attachableWith();

export const simulate = simulateAlone(attachable);

/**
 * A cell with a policy that is a function, for users of the library: it runs in this process, so never with code of
 * strangers. The same cell and function give the same outcome as long as the function keeps no state of its own.
 * @throws PolicyBudgetExceeded when a call reads its context more often than the policy may.
 */
export function simulateWithPolicy(cell: Cell, policy: AttachedPolicy, sink: TelemetrySink): CellOutcome {
  return simulateAlone(attachableWith(policy))(cell, sink);
}
