// CPU time that a kernel thread runs on behalf of a group that it is not in (cpu_cgroup_remote_begin and _charge of the
// padata series): measured by the thread's own clock, charged to the group when the thread says so. What runs after the
// last charge is lost to the group.
import { invariant } from '../invariant.js';
import type { CpuGroup } from './cpu-group.js';
import type { Task } from './task.js';

/** From now on `task`, which is in no group, runs for `group`; undefined is the root group, which nobody charges. */
export function remoteBegin(task: Task, group: CpuGroup | undefined): void {
  invariant(task.group === undefined, `remoteBegin: ${task.name} is in a group of its own`);
  if (group !== undefined) task.remoteBaseNs = task.cpuTimeNs;
}

/** Charges what `task` ran since the last call or since {@link remoteBegin}, and returns it in ns. */
export function remoteCharge(task: Task, group: CpuGroup | undefined): number {
  if (group === undefined) return 0;
  const ranNs = task.cpuTimeNs - task.remoteBaseNs;
  task.remoteBaseNs = task.cpuTimeNs;
  if (ranNs > 0) group.chargeRemote(ranNs);
  return ranNs;
}
