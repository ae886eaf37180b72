// What cannot be, beyond what the schemas say.
import { topologyProblem } from '@kworkbench/machine';
import type { Cell, Problem } from '@kworkbench/mechanism';
import { ideas } from './idea.js';
import { LOW_BYTES } from './model/guest.js';
import { PAGE_BYTES } from './model/costs.js';
import type { PadataCell } from './model/system.js';
import { numbersOf } from './workloads.js';

const GIB = 2 ** 30;
const MS = 0.001;
const EPSILON = 1e-12;

export function check(cell: Cell): readonly Problem[] {
  const padata = cell as PadataCell;
  const unknown = ideas.problems(padata.kernel);
  if (unknown.length > 0) return unknown;
  return [...sizes(padata), ...range(padata), ...bandwidth(padata), ...machine(padata), ...kernel(padata)];
}

function* sizes({ workload }: PadataCell): Iterable<Problem> {
  const { kind, guest, align, minChunk, start } = workload;
  const powerOfTwo = align >= PAGE_BYTES && Number.isInteger(Math.log2(align));
  if (!powerOfTwo) yield { path: 'workload.align', expected: 'a power of two of at least 4KiB', got: align };
  const pages = 'a multiple of 4KiB';
  for (const [name, bytes] of Object.entries({ guest, minChunk, start })) {
    if (bytes % PAGE_BYTES !== 0) yield { path: `workload.${name}`, expected: pages, got: bytes };
  }
  const least = kind === 'pin' || kind === 'guestStart' ? LOW_BYTES + PAGE_BYTES : PAGE_BYTES;
  if (guest < least) {
    const expected = least > LOW_BYTES ? 'more than the 2GiB that QEMU pins apart' : 'at least one page';
    yield { path: 'workload.guest', expected, got: guest };
  }
  if (guest > 64 * 1024 * GIB) yield { path: 'workload.guest', expected: 'at most 64TiB', got: guest };
  if (kind === 'compute' && workload.work <= 0) {
    yield { path: 'workload.work', expected: 'a duration above 0', got: workload.work };
  }
}

function* range({ workload }: PadataCell): Iterable<Problem> {
  const pages = (workload.guest - LOW_BYTES) / PAGE_BYTES;
  for (const page of numbersOf(workload.errorPages)) {
    if (pages > 0 && page >= pages)
      yield { path: 'workload.errorPages', expected: `pages below ${pages}, in the guest`, got: page };
  }
}

function* bandwidth({ workload }: PadataCell): Iterable<Problem> {
  const { quota, parentQuota, period, burst } = workload;
  for (const [name, seconds] of Object.entries({ quota, parentQuota })) {
    if (seconds > 0 && seconds < MS - EPSILON) {
      yield { path: `workload.${name}`, expected: 'at least 1ms, or 0 for none', got: seconds };
    }
  }
  if (period < MS - EPSILON || period > 1) yield { path: 'workload.period', expected: '1ms to 1s', got: period };
  if (burst > quota) yield { path: 'workload.burst', expected: 'at most the quota', got: burst };
}

function* machine({ machine: { cpus, constants }, workload }: PadataCell): Iterable<Problem> {
  const shape = { sockets: constants['sockets']!, threadsPerCore: constants['threadsPerCore']! };
  const problem = topologyProblem(cpus, shape);
  if (problem !== undefined)
    yield { path: 'machine.cpus', expected: `CPUs that fit the topology: ${problem}`, got: cpus };
  if (workload.offlineCpus >= cpus) {
    yield { path: 'workload.offlineCpus', expected: `fewer than the ${cpus} CPUs`, got: workload.offlineCpus };
  }
}

function* kernel({
  kernel: { threads, kthreads, maxNice, renice, remoteCharge, backPressure },
  workload,
}: PadataCell): Iterable<Problem> {
  if (threads === 'padata' && !kthreads && (maxNice || renice || remoteCharge)) {
    const expected = 'on, where maxNice, renice or remoteCharge is: workers of a workqueue are shared';
    yield { path: 'kernel.kthreads', expected, got: kthreads };
  }
  if (backPressure && !remoteCharge) {
    yield { path: 'kernel.backPressure', expected: 'off, where helpers are charged to nobody', got: backPressure };
  }
  if (workload.lockOrder !== 'fine' && threads === 'none') {
    yield { path: 'kernel.threads', expected: 'helpers, where lockOrder is not fine', got: threads };
  }
}
