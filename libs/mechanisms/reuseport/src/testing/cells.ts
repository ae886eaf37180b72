// Cells for specs, resolved as the experiment library resolves them.
import { type CellOptionsOf, cellsOf } from '@kworkbench/mechanism/testing';
import type { ReuseportKernel } from '../kernel.js';
import { reuseport } from '../mechanism.js';
import type { Listener } from '../model/listener.js';
import { ReuseportSystem } from '../model/system.js';

export type CellOptions = CellOptionsOf<ReuseportKernel>;

const cells = cellsOf<ReuseportKernel>(reuseport, { variant: 'B0', profile: 'live618-2cpu' });
export const { cellOf, run } = cells;

/** What is queued where, as numbers of connections, head first. */
export type Queues = Readonly<Record<string, readonly number[]>>;

export function queueOf(sk: Listener): number[] {
  const numbers: number[] = [];
  for (let at = sk.head; at !== undefined; at = at.next) numbers.push(at.number);
  return numbers;
}

/** Runs until the listeners are closed, and stops there, before anybody accepts. */
export function runToClose(options: CellOptions): { readonly system: ReuseportSystem; readonly queues: Queues } {
  const workload = { kind: 'queues', acceptAfter: 1e6, ...options.workload };
  const system = cells.systemOn(cellOf({ ...options, workload }), (place) => new ReuseportSystem(place));
  const { machine } = system;
  system.start();
  while (system.reload.reloads === 0) machine.run(machine.nowNs + 1e6);
  const live = system.stack.listeners.filter(({ listening }) => listening);
  return { system, queues: Object.fromEntries(live.map((sk) => [sk.name, queueOf(sk)])) };
}
