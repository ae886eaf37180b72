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
    const { machine } = this;
    const kind = this;
    let sinceNs = 0;
    const hold: LockProbe = {
      acquire() {},
      contended() {
        kind.contentions++;
      },
      acquired() {
        sinceNs = machine.nowNs;
      },
      release() {
        const heldNs = machine.nowNs - sinceNs;
        if (heldNs > kind.maxNs) kind.maxNs = heldNs;
      },
    };
    return new LockProbes([this.lockdep, hold]);
  }
}
