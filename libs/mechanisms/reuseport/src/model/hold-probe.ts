// The longest time that a lock of a kind was held, and lockdep. One number per kind: locks may come by the thousand.
import { type LockProbe, LockProbes, type Machine } from '@kworkbench/machine';

export class HoldProbe {
  maxNs = 0;
  /** Acquisitions that had to wait. */
  contentions = 0;

  constructor(
    private readonly machine: Machine,
    private readonly lockdep: LockProbe,
  ) {}

  /** To be given to one lock. */
  forLock(): LockProbe {
    return new LockProbes([this.lockdep, new OneLock(this.machine, this)]);
  }
}

class OneLock implements LockProbe {
  private sinceNs = 0;

  constructor(
    private readonly machine: Machine,
    private readonly kind: HoldProbe,
  ) {}

  acquire(): void {}

  contended(): void {
    this.kind.contentions++;
  }

  acquired(): void {
    this.sinceNs = this.machine.nowNs;
  }

  release(): void {
    const heldNs = this.machine.nowNs - this.sinceNs;
    if (heldNs > this.kind.maxNs) this.kind.maxNs = heldNs;
  }
}
