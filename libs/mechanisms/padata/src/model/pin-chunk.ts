// vfio_pin_map_dma_chunk(): pins a range in batches of 512 pages under mmap_lock (read), accounts each contiguous run in
// locked_vm under mmap_lock (write) or out of what was reserved, and maps it in the IOMMU.
//
// A state machine that allocates nothing: it runs for every 2 MiB of every guest. A batch is one burst of CPU time; where
// nobody else works on the address space, the runs of a batch are accounted together, for nobody could get in between.
import { DONE, invariant, PARK, type RandomStream, type Task } from '@kworkbench/machine';
import { BATCH_PAGES, type PinCosts } from './costs.js';
import type { Mm } from './mm.js';
import type { Stream } from './stream.js';
import { type ChunkWork, Errno } from './thread-fn.js';
import type { PinContext } from './vfio-pin.js';

/** DECAY of drivers/cpuidle/governors/menu.c */
const IDLE_DECAY = 8;

const enum State {
  Next,
  /** Wants mmap_lock for reading, then pins. */
  Read,
  Pinning,
  Runs,
  /** Wants mmap_lock for writing, then accounts. */
  Write,
  Accounting,
  /** Accounted, and who waited for the lock is woken. */
  Accounted,
  Mapping,
  Undo,
  Undone,
  End,
}

/** What mmap_lock is taken for writing for. */
const enum Purpose {
  Refill,
  Account,
  /** At the end of the chunk: what was reserved and not used, and what was undone. */
  GiveBack,
}

export class PinChunk implements ChunkWork {
  error = Errno.None;
  private state = State.Next;
  private purpose = Purpose.Refill;
  private start = 0;
  private end = 0;
  private position = 0;
  private cached = 0;
  private accounted = 0;
  /** Pages pinned in this batch, and those of them that are neither accounted nor mapped yet. */
  private batch = 0;
  private batchLeft = 0;
  private run = 0;
  private waitFromNs = -1;
  private sleptFromNs = -1;
  /** How long its CPU expects to be idle: until the next tick, as long as nothing else was seen (menu_enable_device()). */
  private expectedNs: number;
  private readonly mm: Mm;
  private readonly costs: PinCosts;

  constructor(
    private readonly context: PinContext,
    private readonly task: Task,
    private readonly helper: boolean,
    /** Flows while pages are pinned and looked at; asleep, in spins and while it wakes or undoes the task moves nothing. */
    private readonly stream: Stream,
    private readonly random: RandomStream,
  ) {
    this.mm = context.mm;
    this.costs = context.costs;
    this.expectedNs = context.machine.jiffyNs;
  }

  /** Of whole pages, as numbers of pages. */
  begin(start: number, end: number): this {
    this.error = Errno.None;
    this.state = State.Next;
    this.start = this.position = start;
    this.end = end;
    this.cached = this.accounted = 0;
    this.mm.pinners++;
    return this;
  }

  step(): number {
    for (;;) {
      const request = this.act();
      if (request !== 0) return request;
    }
  }

  private act(): number {
    switch (this.state) {
      case State.Next:
        return this.next();
      case State.Read:
        return this.read();
      case State.Pinning:
        return this.pinned();
      case State.Runs:
        return this.takeRun();
      case State.Write:
        return this.write();
      case State.Accounting:
        return this.accountedNow();
      case State.Accounted:
        return this.mapRun();
      case State.Mapping:
        this.state = this.batchLeft > 0 ? State.Runs : State.Next;
        return 0;
      case State.Undo:
        this.state = State.Undone;
        return Math.round((this.position - this.start) * this.costs.undoPageNs);
      case State.Undone:
        return this.undone();
      case State.End:
        this.stream.stop();
        this.mm.pinners--;
        return DONE;
    }
  }

  private next(): number {
    if (this.position === this.end) {
      this.mm.chunkPinned(this.start, this.end);
      this.giveBack();
    } else if (this.cached === 0 && this.context.cachePages > 0) {
      this.purpose = Purpose.Refill;
      this.run = Math.min(this.end - this.position, this.context.cachePages);
      this.state = State.Write;
    } else {
      this.state = State.Read;
    }
    return 0;
  }

  private giveBack(): void {
    this.purpose = Purpose.GiveBack;
    this.run = this.cached + (this.error === Errno.None ? 0 : this.accounted);
    this.state = this.run > 0 ? State.Write : State.End;
  }

  private fail(error: Errno): number {
    this.error = error;
    this.stream.stop();
    this.state = this.position > this.start ? State.Undo : State.Undone;
    return 0;
  }

  private read(): number {
    const { mm, context } = this;
    const idleExitNs = this.wakes();
    if (idleExitNs > 0) return idleExitNs;
    const wait = mm.mmapLock.downRead();
    if (wait !== 0) return this.waits(wait);
    this.stream.start();
    mm.reads++;
    mm.readWaitNs += this.waited();
    if (mm.killed && (!this.helper || context.signalPoll)) return this.refuse(Errno.Intr);
    const wanted = Math.min(BATCH_PAGES, this.end - this.position);
    const to = mm.firstBad(this.position, this.position + wanted);
    this.batch = context.charge(to - this.position, this.helper, this.task);
    if (this.batch === 0) return this.refuse(to === this.position ? Errno.Fault : Errno.NoMem);
    this.state = State.Pinning;
    const { pageNs, jitterRatio } = this.costs;
    return this.random.jitter(this.batch * pageNs, jitterRatio) + context.sharedNs();
  }

  private refuse(error: Errno): number {
    this.fail(error);
    return this.wakesOthers(this.mm.mmapLock.upRead());
  }

  private pinned(): number {
    this.mm.pinnedPages += this.batch;
    this.batchLeft = this.batch;
    this.state = State.Runs;
    return this.wakesOthers(this.mm.mmapLock.upRead());
  }

  private takeRun(): number {
    const { costs, context, mm } = this;
    const run = Math.min(costs.runPages, this.batchLeft);
    if (context.accountsRuns && this.cached < run) {
      this.run = mm.pinners === 1 ? this.batchLeft : run;
      this.purpose = Purpose.Account;
      this.state = State.Write;
      return 0;
    }
    this.run = context.accountsRuns ? Math.min(this.batchLeft, this.cached) : this.batchLeft;
    if (context.accountsRuns) {
      this.cached -= this.run;
      this.accounted += this.run;
      mm.reserve(-this.run);
    }
    return this.mapRun();
  }

  private mapRun(): number {
    const { runPages, mapNs, checkNs, outsideJitterRatio } = this.costs;
    const runs = Math.ceil(this.run / runPages);
    this.batchLeft -= this.run;
    this.position += this.run;
    this.state = State.Mapping;
    this.stream.start();
    return this.random.jitter(runs * mapNs + this.run * checkNs, outsideJitterRatio);
  }

  private write(): number {
    const { mm } = this;
    const idleExitNs = this.wakes();
    if (idleExitNs > 0) return idleExitNs;
    const wait = mm.mmapLock.downWrite();
    if (wait !== 0) return this.waits(wait);
    const runs = this.purpose === Purpose.Account ? Math.ceil(this.run / this.costs.runPages) : 1;
    mm.writes += runs;
    mm.writeWaitNs += this.waited();
    this.state = State.Accounting;
    return this.stream.workFor(mm.accountingNs(this.task.cpu.index, runs * this.costs.accountNs));
  }

  private accountedNow(): number {
    const { mm } = this;
    switch (this.purpose) {
      case Purpose.Refill:
        // -ENOMEM is not fatal: each run is accounted then, as without the cache.
        if (mm.account(this.run)) {
          this.cached = this.run;
          mm.reserve(this.run);
        }
        this.state = State.Read;
        break;
      case Purpose.Account:
        this.accountRun();
        break;
      case Purpose.GiveBack:
        mm.reserve(-this.cached);
        mm.account(-this.run);
        this.cached = this.accounted = 0;
        this.state = State.End;
    }
    return this.wakesOthers(mm.mmapLock.upWrite());
  }

  /** A run that is longer than the reserve: the rest at once. */
  private accountRun(): void {
    const { mm } = this;
    if (!mm.account(this.run - this.cached)) {
      mm.pinnedPages -= this.batchLeft;
      this.fail(Errno.NoMem);
      return;
    }
    mm.reserve(-this.cached);
    this.cached = 0;
    this.accounted += this.run;
    this.state = State.Accounted;
  }

  private undone(): number {
    const pages = this.position - this.start;
    this.mm.pinnedPages -= pages;
    this.mm.undonePages += pages;
    this.context.chunkUndone(pages);
    invariant(!this.context.accountsRuns || this.accounted === pages, 'padata: a chunk undoes what it accounted');
    this.giveBack();
    return 0;
  }

  private wakesOthers(ns: number): number {
    if (ns > 0) this.stream.stop();
    return ns;
  }

  private waits(request: number): number {
    const { nowNs } = this.context.machine;
    if (this.waitFromNs < 0) this.waitFromNs = nowNs;
    if (request > 0) return this.stream.workFor(request);
    this.stream.stop();
    if (request === PARK) this.sleptFromNs = nowNs;
    return request;
  }

  /**
   * After a sleep: ns until its CPU has left its idle state. The state was chosen when the CPU went idle, by what the
   * governor had seen of it: the mean of the last times, as menu's correction factor forgets them.
   */
  private wakes(): number {
    if (this.sleptFromNs < 0) return 0;
    const { expectedNs } = this;
    const { deepIdleNs, idleExitNs } = this.costs;
    const sleptNs = this.context.machine.nowNs - this.sleptFromNs;
    this.sleptFromNs = -1;
    this.expectedNs += (sleptNs - expectedNs) / IDLE_DECAY;
    return expectedNs > deepIdleNs ? idleExitNs : 0;
  }

  private waited(): number {
    const fromNs = this.waitFromNs;
    this.waitFromNs = -1;
    return fromNs < 0 ? 0 : this.context.machine.nowNs - fromNs;
  }
}
