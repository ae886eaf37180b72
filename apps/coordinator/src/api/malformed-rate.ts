// Counts wrong requests per client address, so that a client that sends nothing else is refused before its body is read.
// Fixed windows: exact enough for a bound, and one number per address.
import { MALFORMED_WINDOW_MS, MAX_MALFORMED_ADDRESSES } from '../limits.js';

interface Window {
  readonly beganMs: number;
  count: number;
}

export class MalformedRate {
  readonly #windows = new Map<string, Window>();

  /** @param limit wrong requests of an address per window; @param nowMs a monotonic clock. */
  constructor(
    private readonly limit: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** A request of this address was refused as wrong. */
  count(address: string): void {
    const window = this.#windows.get(address);
    if (window && !this.#isOver(window)) {
      window.count++;
      return;
    }
    // Again at the end: the map's order is the order of the windows' beginnings, and the first one is the oldest.
    this.#windows.delete(address);
    this.#windows.set(address, { beganMs: this.nowMs(), count: 1 });
    if (this.#windows.size > MAX_MALFORMED_ADDRESSES) this.#windows.delete(this.#windows.keys().next().value!);
  }

  /** Seconds until requests of this address are read again; 0 when they are. */
  refusedForSeconds(address: string): number {
    const window = this.#windows.get(address);
    if (!window || window.count < this.limit || this.#isOver(window)) return 0;
    return Math.ceil((MALFORMED_WINDOW_MS - (this.nowMs() - window.beganMs)) / 1000);
  }

  #isOver(window: Window): boolean {
    return this.nowMs() - window.beganMs >= MALFORMED_WINDOW_MS;
  }
}
