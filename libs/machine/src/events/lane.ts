// Events for the present instant, first come, first served: (target, argument) pairs of integers in a ring.

export class Lane {
  length = 0;
  /** Pairs. */
  private entries: Int32Array;
  private head = 0;

  /** @param capacity Events to begin with, a power of two; there is room for more when it is needed. */
  constructor(capacity: number) {
    this.entries = new Int32Array(2 * capacity);
  }

  /** Of the first event. */
  get target(): number {
    return this.entries[this.head]!;
  }

  get argument(): number {
    return this.entries[this.head + 1]!;
  }

  push(target: number, argument: number): void {
    if (2 * this.length === this.entries.length) this.grow();
    const at = (this.head + 2 * this.length) & (this.entries.length - 1);
    this.entries[at] = target;
    this.entries[at + 1] = argument;
    this.length++;
  }

  dropFirst(): void {
    this.head = (this.head + 2) & (this.entries.length - 1);
    this.length--;
  }

  private grow(): void {
    const grown = new Int32Array(2 * this.entries.length);
    grown.set(this.entries.subarray(this.head));
    grown.set(this.entries.subarray(0, this.head), this.entries.length - this.head);
    this.entries = grown;
    this.head = 0;
  }
}
