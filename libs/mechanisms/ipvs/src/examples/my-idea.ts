// An example of a variant of one's own: kwb run ipvs-k8s-50k --set workload.services=2000 --variant my-idea.ts
//
// The idea: the merged code fills one row before it begins the next, so that a few thousand services are all estimated in
// the same ticks. Here a new estimator goes to the row with the fewest, and every tick is equally short (221 us; 4.4 ms merged).
import type { IpvsIdea, KthreadRows, RowDesign } from '@kworkbench/ipvs';

function emptiest(kthread: KthreadRows): number {
  let best = 0;
  for (let row = 1; row < kthread.rows; row++) if (kthread.length(row) < kthread.length(best)) best = row;
  return best;
}

/** The row that is asked for, or the next one with room: one that moves keeps its two seconds. */
function atOrAfter(kthread: KthreadRows, wanted: number): number {
  for (let i = 0; i < kthread.rows; i++) {
    const row = (wanted + i) % kthread.rows;
    if (kthread.length(row) < kthread.rowLimit) return row;
  }
  throw new Error('no row has room');
}

function even(): RowDesign {
  return {
    row(kthread, delayRows) {
      const isNew = delayRows === kthread.rows - 1;
      return kthread.put(isNew ? emptiest(kthread) : atOrAfter(kthread, kthread.dueRow + delayRows));
    },
  };
}

const idea: IpvsIdea = {
  mechanism: 'ipvs',
  id: 'evenRows',
  title: 'new estimators go to the row with the fewest',
  placement: even,
};

export default idea;
