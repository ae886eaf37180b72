// Trace events as they come, in typed arrays, until they are written out: 38 bytes each, none of them an object.
import type { SchedColumns } from './perfetto.js';

export const enum RecordKind {
  Switch,
  Waking,
  Begin,
  End,
  Instant,
  Counter,
}

export const BATCH_RECORDS = 1 << 15;

export class TraceBatch {
  count = 0;
  readonly times = new Float64Array(BATCH_RECORDS);
  /** Of counters. */
  readonly values = new Float64Array(BATCH_RECORDS);
  readonly kinds = new Uint8Array(BATCH_RECORDS);
  /** Where it happened (switches, wakeups). */
  readonly cpus = new Int32Array(BATCH_RECORDS);
  /** Thread or track. */
  readonly ids = new Int32Array(BATCH_RECORDS);
  /** Name of the thread or the slice. */
  readonly names = new Int32Array(BATCH_RECORDS);
  /** prev_state of a switch, target CPU of a wakeup. */
  readonly extras = new Int32Array(BATCH_RECORDS);
  readonly prios = new Int16Array(BATCH_RECORDS);
  /** Interrupt context of a wakeup. */
  readonly flags = new Uint8Array(BATCH_RECORDS);

  get full(): boolean {
    return this.count === BATCH_RECORDS;
  }

  add(kind: RecordKind, timeNs: number): number {
    const at = this.count++;
    this.kinds[at] = kind;
    this.times[at] = timeNs;
    return at;
  }
}

/** Rows of a batch: the switches, or the wakeups, of one CPU. */
export class SchedRows implements SchedColumns {
  count = 0;
  private readonly rows = new Int32Array(BATCH_RECORDS);

  /** @param commOf the index of a name among those that go with the bundle. */
  constructor(
    private readonly batch: TraceBatch,
    private readonly commOf: (name: number) => number,
  ) {}

  push(record: number): void {
    this.rows[this.count++] = record;
  }

  timeNs(row: number): number {
    return this.batch.times[this.rows[row]!]!;
  }
  tid(row: number): number {
    return this.batch.ids[this.rows[row]!]!;
  }
  prio(row: number): number {
    return this.batch.prios[this.rows[row]!]!;
  }
  comm(row: number): number {
    return this.commOf(this.batch.names[this.rows[row]!]!);
  }
  extra(row: number): number {
    return this.batch.extras[this.rows[row]!]!;
  }
  flags(row: number): number {
    return this.batch.flags[this.rows[row]!]!;
  }
}
