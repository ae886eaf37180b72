// A time series of a level that is written down only when the level has changed: at multiples of a period, with the value
// after all that happened then, as `machine.observe()` would see it, without those samples that repeat the one before.
// An idle hour costs nothing, whatever the period.
import type { Clock } from '../hardware/cache-line.js';

export class ChangeSeries {
  private level: number;
  private emitted: number | undefined = undefined;
  /** The multiple at which the level is due to be looked at. */
  private dueNs: number;

  /**
   * @param periodNs at most one sample each.
   * @param emit takes the samples, in the order of time.
   */
  constructor(
    private readonly clock: Clock,
    private readonly periodNs: number,
    initial: number,
    private readonly emit: (timeNs: number, value: number) => void,
  ) {
    if (!(periodNs >= 1)) throw new RangeError(`change series: expected a period of at least 1 ns, got ${periodNs}`);
    this.level = initial;
    this.dueNs = this.nextMultiple();
  }

  get value(): number {
    return this.level;
  }

  set(value: number): void {
    if (value === this.level) return;
    if (this.clock.nowNs > this.dueNs) this.sample();
    this.level = value;
    this.dueNs = this.nextMultiple();
  }

  /** Emits what is still due up to now. Call it when the run is over. */
  end(): void {
    if (this.clock.nowNs >= this.dueNs) this.sample();
  }

  private sample(): void {
    if (this.level === this.emitted) return;
    this.emitted = this.level;
    this.emit(this.dueNs, this.level);
  }

  private nextMultiple(): number {
    return Math.ceil(this.clock.nowNs / this.periodNs) * this.periodNs;
  }
}
