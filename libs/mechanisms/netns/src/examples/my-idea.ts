// An example of a variant of one's own: kwb run netns-unshare-storm --variant my-idea.ts
//
// The idea: like v3, one list with one barrier for all of it, but hash tables and frees both in one ordered item, and
// the item waits 100 ms first, so that a burst of dying namespaces shares one barrier.
import type { BroughtFqdir, FqdirExit, FqdirKernel, NetnsIdea } from '@kworkbench/netns';

const GATHER_NS = 100e6;

function gather(kernel: FqdirKernel): FqdirExit {
  let list: BroughtFqdir[] = [];

  const freeAll = kernel.work(function* () {
    const batch = list;
    list = [];
    for (const fqdir of batch) yield* kernel.destroyHashTable(fqdir);
    yield* kernel.rcuBarrier();
    for (const fqdir of batch) yield* kernel.free(fqdir);
  });

  return {
    exit(fqdir, cpu) {
      // Only the first one queues the item, as llist_add() tells it.
      if (list.push(fqdir) === 1) kernel.queueDelayedWork('fqdir_wq', cpu, freeAll, GATHER_NS);
    },
  };
}

const idea: NetnsIdea = {
  mechanism: 'netns',
  id: 'gather100ms',
  title: 'everything in one ordered item, 100 ms after the first fqdir',
  fqdirExit: gather,
};

export default idea;
