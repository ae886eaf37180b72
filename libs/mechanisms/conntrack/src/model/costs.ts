// What the steps of conntrack cost on the machine of a cell, worked out once from the profile's constants.
import type { UserMutexCosts } from '@kworkbench/machine';

export interface CtCosts {
  /** Key, hash and what else a packet needs before its lookup, and what is left of it after. */
  readonly privateNs: number;
  readonly jitterRatio: number;
  readonly pairNs: number;
  readonly lookupNs: number;
  /** The two sections of a packet under ct_lock before the series, and what is between them. */
  readonly policySectionNs: number;
  readonly gapNs: number;
  readonly moveSectionNs: number;
  readonly insertNs: number;
  readonly tableInsertNs: number;
  readonly rehashEntryNs: number;
  readonly natProbeNs: number;
  readonly queuePushNs: number;
  readonly cleanNs: number;
  readonly cleanQueueNs: number;
  readonly sweepVisitNs: number;
  readonly requeueNs: number;
  readonly freeNs: number;
  readonly adminNs: number;
  readonly mutex: UserMutexCosts;
}

/** @param lists whether packets take ct_lock, so that part of their work lies in its sections. */
export function ctCosts(constants: Readonly<Record<string, number>>, lists: boolean): CtCosts {
  const ns = (name: string): number => constants[name]!;
  const pairNs = ns('lockPairNs');
  const inSections = lists ? ns('policyLookupNs') + ns('expirationLogNs') + ns('listMoveNs') : 0;
  return {
    privateNs: Math.max(1, ns('packetPrivateNs') - ns('lookupNs') - inSections),
    jitterRatio: ns('packetJitterRatio'),
    pairNs,
    lookupNs: ns('lookupNs'),
    // ct_lock and conn->lock; the pairs at both ends of the gap count half.
    policySectionNs: 2 * pairNs + ns('policyLookupNs'),
    gapNs: 1.5 * pairNs + ns('expirationLogNs'),
    moveSectionNs: 2 * pairNs + ns('listMoveNs'),
    insertNs: ns('insertNs'),
    tableInsertNs: ns('tableInsertNs'),
    rehashEntryNs: ns('rehashEntryNs'),
    natProbeNs: ns('natProbeNs'),
    queuePushNs: ns('queuePushNs'),
    cleanNs: ns('cleanNs'),
    cleanQueueNs: ns('cleanQueueNs'),
    sweepVisitNs: ns('sweepVisitNs'),
    requeueNs: ns('requeueNs'),
    freeNs: ns('freeNs'),
    adminNs: ns('adminNs'),
    mutex: {
      spinLimitNs: ns('mutexSpinNs'),
      futexWaitNs: ns('futexWaitNs'),
      futexWakeNs: ns('futexWakeNs'),
      wakeLatencyNs: ns('futexWakeLatencyNs'),
    },
  };
}
