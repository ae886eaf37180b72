// Turns a batch into packets: first what its ids stand for, then the runs of each CPU, then everything else in its order.
// The viewer sorts by time, so the order of packets says nothing.
import { EventType, FTRACE_CPUS, writeEvent, writeSched } from './perfetto.js';
import type { ProtoWriter } from './proto-writer.js';
import { BATCH_RECORDS, RecordKind, SchedRows, type TraceBatch } from './trace-batch.js';
import type { TraceNames } from './trace-names.js';

const NONE = -1;

export class BatchWriter {
  private readonly switches: SchedRows;
  private readonly wakings: SchedRows;
  /** The records of a CPU as a list: its first, its last, and the one after each. */
  private readonly first = new Int32Array(FTRACE_CPUS).fill(NONE);
  private readonly last = new Int32Array(FTRACE_CPUS);
  private readonly after = new Int32Array(BATCH_RECORDS);
  private readonly commIndex = new Map<number, number>();
  private readonly comms: string[] = [];

  constructor(
    private readonly batch: TraceBatch,
    private readonly names: TraceNames,
    private readonly out: ProtoWriter,
  ) {
    const commOf = (name: number) => this.commIndex.get(name)!;
    this.switches = new SchedRows(batch, commOf);
    this.wakings = new SchedRows(batch, commOf);
  }

  write(): void {
    const { batch } = this;
    for (let record = 0; record < batch.count; record++) this.introduce(record);
    for (let cpu = 0; cpu < FTRACE_CPUS; cpu++) {
      if (this.first[cpu] === NONE) continue;
      this.writeCpu(cpu);
      this.first[cpu] = NONE;
    }
    for (let record = 0; record < batch.count; record++) this.writeTrackEvent(record);
  }

  private introduce(record: number): void {
    const { batch, names, out } = this;
    names.describe(out, batch.ids[record]!);
    if (batch.kinds[record]! > RecordKind.Waking) {
      names.spell(out, batch.names[record]!);
      return;
    }
    const cpu = batch.cpus[record]!;
    if (this.first[cpu] === NONE) this.first[cpu] = record;
    else this.after[this.last[cpu]!] = record;
    this.last[cpu] = record;
    this.after[record] = NONE;
  }

  private writeCpu(cpu: number): void {
    const { batch, switches, wakings } = this;
    this.commIndex.clear();
    this.comms.length = 0;
    switches.count = 0;
    wakings.count = 0;
    for (let record = this.first[cpu]!; record !== NONE; record = this.after[record]!) {
      if (batch.kinds[record] === RecordKind.Switch) switches.push(record);
      else wakings.push(record);
      const name = batch.names[record]!;
      if (this.commIndex.has(name)) continue;
      this.commIndex.set(name, this.comms.push(this.names.text(name)) - 1);
    }
    writeSched(this.out, cpu, this.comms, switches, wakings);
  }

  private writeTrackEvent(record: number): void {
    const { batch } = this;
    const kind = batch.kinds[record]! as RecordKind;
    if (kind <= RecordKind.Waking) return;
    const id = batch.ids[record]!;
    writeEvent(this.out, batch.times[record]!, EVENT_TYPE[kind]!, id, batch.names[record]!, batch.values[record]!);
  }
}

/** By kind of record. */
const EVENT_TYPE: readonly (EventType | undefined)[] = [
  undefined,
  undefined,
  EventType.Begin,
  EventType.End,
  EventType.Instant,
  EventType.Counter,
];
