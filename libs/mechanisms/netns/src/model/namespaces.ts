// The book of namespaces: who exists, in which stage, and the list that cleanup_net() takes. Ids are handed out in
// order; every transition is checked, so nothing is torn down twice or never (I1, I2, I13).
import { invariant } from '@kworkbench/machine';
import type { NsMemory } from './ns-memory.js';

const enum NsState {
  Live = 1,
  Listed = 2,
  InPass = 3,
  Freed = 4,
}

export class Namespaces {
  created = 0;
  freed = 0;
  listed = 0;
  inPass = 0;
  /** struct nets of the last pass, freed by the next. */
  deferred = 0;
  outstandingMax = 0;
  private states = new Uint8Array(1024);
  private cleanupList: number[] = [];

  constructor(
    private readonly memory: NsMemory,
    private readonly userLimit: number,
    private readonly queueCleanup: () => void,
  ) {}

  get outstanding(): number {
    return this.created - this.freed;
  }

  /** user.max_net_namespaces: the count drops only at the end of cleanup_net(), so it bounds what is pending too. */
  get atLimit(): boolean {
    return this.userLimit > 0 && this.outstanding >= this.userLimit;
  }

  create(): number {
    const id = this.created++;
    if (id === this.states.length) {
      const states = new Uint8Array(id * 2);
      states.set(this.states);
      this.states = states;
    }
    this.states[id] = NsState.Live;
    if (this.outstanding > this.outstandingMax) this.outstandingMax = this.outstanding;
    invariant(
      this.userLimit === 0 || this.outstanding <= this.userLimit,
      'I13: more namespaces than the user may have',
    );
    this.memory.alloc();
    return id;
  }

  /** __put_net(): only the push that finds the list empty queues net_cleanup_work. */
  put(id: number): void {
    this.move(id, NsState.Live, NsState.Listed);
    this.listed++;
    if (this.cleanupList.push(id) === 1) this.queueCleanup();
  }

  /** Takes the list, or its oldest `cap` entries; what is left needs another pass. */
  takeList(cap: number): readonly number[] {
    let batch = this.cleanupList;
    if (cap > 0 && batch.length > cap) {
      batch = this.cleanupList.slice(0, cap);
      this.cleanupList = this.cleanupList.slice(cap);
      this.queueCleanup();
    } else {
      this.cleanupList = [];
    }
    for (const id of batch) this.move(id, NsState.Listed, NsState.InPass);
    this.listed -= batch.length;
    this.inPass += batch.length;
    return batch;
  }

  /** The pass ends: everything but struct net is gone, the user may create again. */
  finishPass(batch: readonly number[]): void {
    for (const id of batch) this.move(id, NsState.InPass, NsState.Freed);
    this.inPass -= batch.length;
    this.freed += batch.length;
    this.memory.freeStructNets(this.deferred);
    this.deferred = batch.length;
  }

  private move(id: number, from: NsState, to: NsState): void {
    invariant(this.states[id] === from, `I2: namespace ${id} goes to stage ${to} from ${this.states[id]}, not ${from}`);
    this.states[id] = to;
  }
}
