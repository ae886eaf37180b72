// The memory that telemetry on its way to the store may take in this process, over all cells. A stream that finds the
// budget used up stops reading; HTTP/2 flow control then holds its service back, and with it the cell. So a store that
// is slow slows the cells down, and nothing piles up.
//
// The oldest stream always reads on: it alone can then fill its own bound (MAX_KEPT_BYTES), reach its end and be
// committed, which makes room for the next. Without it, cells that are each half way would wait for one another.
export interface BudgetedStream {
  /** Stops or goes on reading; asked for again and again. */
  setReading(reading: boolean): void;
}

export class IngestBudget {
  /** In the order of arrival, with the bytes that each holds. */
  readonly #held = new Map<BudgetedStream, number>();
  #bytes = 0;

  constructor(readonly limitBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** The stream holds this much from now on. */
  hold(stream: BudgetedStream, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(stream) ?? 0);
    this.#held.set(stream, bytes);
    if (this.#bytes > this.limitBytes && stream !== this.#oldest()) stream.setReading(false);
  }

  /** The stream is over and holds nothing. */
  release(stream: BudgetedStream): void {
    this.#bytes -= this.#held.get(stream) ?? 0;
    this.#held.delete(stream);
    if (this.#bytes <= this.limitBytes) for (const other of this.#held.keys()) other.setReading(true);
    else this.#oldest()?.setReading(true);
  }

  #oldest(): BudgetedStream | undefined {
    return this.#held.keys().next().value;
  }
}
