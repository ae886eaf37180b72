// An example of a variant of one's own: kwb run conntrack-mass-expiry --variant my-idea.ts
//
// The idea: the merged ct_clean sweeps all lists, sleeps for 20 s, and takes ct_lock for each removal. Here it looks at one list
// every 200 ms, so that its work is spread evenly, and removes up to 16 connections under one hold of the lock.
import type { BroughtConn, ConntrackIdea, CtCleanDesign, CtCleanKernel } from '@kworkbench/conntrack';

const ROUND_NS = 20e9;
const LOOKS = 64;
const BATCH = 16;

function oneListAtATime(kernel: CtCleanKernel): CtCleanDesign {
  let list = 0;

  function* removeAll(expired: BroughtConn[]) {
    yield* kernel.lock(list);
    for (const conn of expired) yield* kernel.remove(conn);
    kernel.unlock(list);
    expired.length = 0;
  }

  return {
    *round() {
      const expired: BroughtConn[] = [];
      let looks = 0;
      for (let conn = kernel.first(list), next; conn >= 0; conn = next) {
        // One that has been removed still leads on until the round ends.
        if (kernel.isExpired(conn)) expired.push(conn);
        if (expired.length === BATCH) yield* removeAll(expired);
        next = kernel.next(conn);
        if (++looks % LOOKS === 0) yield 0;
      }
      if (expired.length > 0) yield* removeAll(expired);
      list = (list + 1) % kernel.lists;
      return ROUND_NS / kernel.lists;
    },
  };
}

const idea: ConntrackIdea = {
  mechanism: 'conntrack',
  id: 'oneList',
  title: 'one list every 200 ms, 16 removals under one hold of ct_lock',
  ctClean: oneListAtATime,
};

export default idea;
