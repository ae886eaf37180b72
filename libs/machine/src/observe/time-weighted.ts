// A level over time (queue length, bytes in use): its mean weighted by how long it lasted, and its extremes. Costs a few
// ns a change and nothing while nothing changes.
import type { Clock } from '../hardware/cache-line.js';

export class TimeWeighted {
  min: number;
  max: number;
  private level: number;
  private area = 0;
  private sinceNs: number;
  private readonly startNs: number;

  constructor(
    private readonly clock: Clock,
    initial = 0,
  ) {
    this.level = initial;
    this.min = initial;
    this.max = initial;
    this.startNs = clock.nowNs;
    this.sinceNs = this.startNs;
  }

  get value(): number {
    return this.level;
  }

  set(value: number): void {
    const { nowNs } = this.clock;
    this.area += this.level * (nowNs - this.sinceNs);
    this.sinceNs = nowNs;
    this.level = value;
    if (value > this.max) this.max = value;
    if (value < this.min) this.min = value;
  }

  add(change: number): void {
    this.set(this.level + change);
  }

  /** Sum of level times ns up to now: the L of Little's law, not yet divided by time. */
  get integral(): number {
    return this.area + this.level * (this.clock.nowNs - this.sinceNs);
  }

  /** The level's mean up to now; the level itself when no time has passed. */
  get mean(): number {
    const lastedNs = this.clock.nowNs - this.startNs;
    return lastedNs === 0 ? this.level : this.integral / lastedNs;
  }
}
