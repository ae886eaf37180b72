// Tasks in bandwidth groups, for specs.
import type { Machine } from '../machine.js';
import type { CpuGroup } from '../sched/cpu-group.js';
import type { Task, TaskBody } from '../sched/task.js';
import { MS } from './build.js';

const FOREVER_NS = 1e15;

export interface Placed {
  readonly on?: number | undefined;
  readonly group?: CpuGroup | undefined;
  readonly userMode?: boolean;
}

export function start(machine: Machine, { on, group, userMode = false }: Placed, body: (task: Task) => TaskBody): Task {
  const placed = on === undefined ? {} : { on: machine.cpus[on]! };
  return machine.spawn('task', body, { ...placed, userMode, ...(group !== undefined && { group }) });
}

/** A task that only burns CPU time. */
export function spinner(machine: Machine, group: CpuGroup | undefined, on?: number): Task {
  return start(machine, { group, on }, function* () {
    yield FOREVER_NS;
  });
}

/** CPU time up to now, also of a burst under way. */
export function ranMs(machine: Machine, ...tasks: Task[]): number {
  for (const cpu of machine.cpus) machine.scheduler.settle(cpu);
  return tasks.reduce((sum, { cpuTimeNs }) => sum + cpuTimeNs, 0) / MS;
}
