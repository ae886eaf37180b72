// Records what CPUs, tasks and locks do, and writes it as a Perfetto trace that stays below a size and within a window of
// time. Events wait in typed arrays and go out in batches, so the trace itself is never held.
//
// The limit holds for the bytes that are handed out: every event is charged with the most that it can cost, and when the
// account is full the batch is written and charged with what it did cost. The first event for which there is no room ends
// the trace for all CPUs and tracks alike; those after it are counted, and a mark in the trace says so.
// Where a window begins later than the run, what runs and is open by then is shown as begun there.
import { BatchWriter } from './batch-writer.js';
import { EventType, FTRACE_CPUS, PROCESS_ID, writeEvent, writeProcess } from './perfetto.js';
import { ProtoWriter } from './proto-writer.js';
import { RecordKind, TraceBatch } from './trace-batch.js';
import { TraceNames } from './trace-names.js';

export interface TraceOptions {
  /** What the trace shows, e.g. the scenario and its cell. */
  readonly title: string;
  /** The trace is not larger than this; at least 4 KiB. */
  readonly limitBytes: number;
  /** Window of virtual time, both ends included; default: everything. */
  readonly fromNs?: number;
  readonly toNs?: number;
}

export interface TraceSummary {
  readonly bytes: number;
  readonly events: number;
  /** Events within the window for which there was no room. */
  readonly cutEvents: number;
  /** Virtual time at which the limit ended the trace; undefined when it did not. */
  readonly cutAtNs: number | undefined;
}

/** prev_state of sched_switch: how a task left its CPU. */
export const enum PrevState {
  Runnable = 0,
  Sleeping = 1,
  Dead = 16,
}

/** The most that an event, the part of a CPU in a batch, a text in it per UTF-16 unit, and the end mark can cost. */
const EVENT_BYTES = 48;
const BUNDLE_BYTES = 128;
const TEXT_UNIT_BYTES = 3;
const END_BYTES = 512;
/** With less than this charged there is little to gain by writing the batch. */
const WORTH_WRITING = 1024;
const SMALLEST_LIMIT = 4096;
/** TRACE_FLAG_HARDIRQ of the kernel's trace_flag_type. */
const HARD_IRQ = 8;
const IDLE = 0;

export class TraceRecorder {
  private readonly out = new ProtoWriter();
  private readonly batch = new TraceBatch();
  private readonly names = new TraceNames();
  private readonly swapper = this.names.idOf('swapper');
  private readonly batchWriter = new BatchWriter(this.batch, this.names, this.out);
  private readonly limitBytes: number;
  private readonly fromNs: number;
  private readonly toNs: number;
  private writtenBytes = 0;
  private chargedBytes = 0;
  private events = 0;
  private cutEvents = 0;
  private cutAtNs: number | undefined;
  private started = false;

  /** Per CPU: the thread that runs, its priority, and the record of its last switch in this batch, or undefined. */
  private readonly running: number[] = [];
  private readonly runningPrio: number[] = [];
  private readonly lastSwitch: (number | undefined)[] = [];
  /** Names of the slices that are open, by track, and the last value of each counter. */
  private readonly open = new Map<number, number[]>();
  private readonly counters = new Map<number, number>();
  /** Tracks of the CPUs that the viewer does not take as CPUs. */
  private readonly cpuTracks = new Map<number, number>();

  /**
   * @param write takes bytes of the trace; they are valid during the call only.
   * @throws RangeError when the limit is too small for any trace.
   */
  constructor(
    options: TraceOptions,
    private readonly write: (bytes: Uint8Array) => void,
  ) {
    const { limitBytes, title, fromNs = 0, toNs = Infinity } = options;
    if (!(limitBytes >= SMALLEST_LIMIT)) {
      throw new RangeError(`trace: expected a limit of at least ${SMALLEST_LIMIT} bytes, got ${limitBytes}`);
    }
    this.limitBytes = limitBytes;
    this.fromNs = fromNs;
    this.toNs = toNs;
    writeProcess(this.out, title.slice(0, 256));
    this.handOut();
  }

  /** A task; its id names it in the calls below, and is a track for its slices. */
  thread(name: string): number {
    return this.names.addThread(name);
  }

  /** A track of its own for slices, under another one or none (0). */
  track(name: string, parent = 0): number {
    return this.names.addTrack(name, parent);
  }

  counterTrack(name: string, unit: string, parent = 0): number {
    return this.names.addCounter(name, unit, parent);
  }

  /** The id of a slice's name. */
  nameOf(text: string): number {
    return this.names.idOf(text);
  }

  /** `cpu` begins to run a thread. @param prio the kernel's: 120 + nice, or below 100 for real time. */
  switchIn(nowNs: number, cpu: number, thread: number, prio: number): void {
    if (cpu >= FTRACE_CPUS) {
      this.begin(nowNs, this.cpuTrack(cpu), this.names.textOf(thread));
      return;
    }
    this.switchTo(nowNs, cpu, thread, prio, PrevState.Runnable);
    this.running[cpu] = thread;
    this.runningPrio[cpu] = prio;
  }

  /** `cpu` leaves the thread that it runs, and is idle unless it begins another at the same time. */
  switchOut(nowNs: number, cpu: number, prevState: PrevState): void {
    if (cpu >= FTRACE_CPUS) {
      this.end(nowNs, this.cpuTrack(cpu));
      return;
    }
    this.switchTo(nowNs, cpu, IDLE, 120, prevState);
    this.running[cpu] = IDLE;
  }

  /** A thread becomes runnable on `target`. @param waker the CPU whose thread woke it; -1: an interrupt. */
  waking(nowNs: number, thread: number, prio: number, waker: number, target: number): void {
    const cpu = waker >= 0 ? waker : target;
    if (cpu >= FTRACE_CPUS) return;
    const name = this.names.textOf(thread);
    if (!this.admit(nowNs, this.schedCost(cpu, thread, name))) return;
    const at = this.batch.add(RecordKind.Waking, nowNs);
    this.batch.cpus[at] = cpu;
    this.batch.ids[at] = thread;
    this.batch.names[at] = name;
    this.batch.extras[at] = target;
    this.batch.prios[at] = prio;
    this.batch.flags[at] = waker >= 0 ? 0 : HARD_IRQ;
    this.lastSwitch[cpu] ??= -1;
  }

  /** Opens a slice on a track, within those that are open there. */
  begin(nowNs: number, track: number, name: number): void {
    this.trackEvent(RecordKind.Begin, nowNs, track, name, 0);
    const open = this.open.get(track);
    if (open === undefined) this.open.set(track, [name]);
    else open.push(name);
  }

  /** Closes the innermost open slice of a track. @throws when there is none. */
  end(nowNs: number, track: number): void {
    const open = this.open.get(track);
    if (open === undefined || open.length === 0) {
      throw new Error(`trace: nothing to end on ${this.names.nameOf(track)}`);
    }
    this.trackEvent(RecordKind.End, nowNs, track, 0, 0);
    open.pop();
  }

  instant(nowNs: number, track: number, name: number): void {
    this.trackEvent(RecordKind.Instant, nowNs, track, name, 0);
  }

  counter(nowNs: number, track: number, value: number): void {
    this.trackEvent(RecordKind.Counter, nowNs, track, 0, value);
    this.counters.set(track, value);
  }

  /** Writes the rest. Nothing may be recorded after it. */
  finish(): TraceSummary {
    this.writeBatch();
    if (this.cutAtNs !== undefined) {
      const text = `trace cut here: limit of ${this.limitBytes} bytes reached, ${this.cutEvents} later events left out`;
      const name = this.names.idOf(text);
      this.names.spell(this.out, name);
      writeEvent(this.out, this.cutAtNs, EventType.Instant, PROCESS_ID, name, 0);
      this.handOut();
    }
    const { writtenBytes: bytes, events, cutEvents, cutAtNs } = this;
    return { bytes, events, cutEvents, cutAtNs };
  }

  private switchTo(nowNs: number, cpu: number, thread: number, prio: number, prevState: PrevState): void {
    const name = thread === IDLE ? this.swapper : this.names.textOf(thread);
    if (!this.admit(nowNs, this.schedCost(cpu, thread, name))) return;
    const { batch } = this;
    const last = this.lastSwitch[cpu] ?? -1;
    // A CPU that leaves one thread and takes another at once makes one switch.
    const merges = thread !== IDLE && last >= 0 && batch.times[last] === nowNs && batch.ids[last] === IDLE;
    const at = merges ? last : batch.add(RecordKind.Switch, nowNs);
    if (!merges) batch.extras[at] = prevState;
    batch.cpus[at] = cpu;
    batch.ids[at] = thread;
    batch.names[at] = name;
    batch.prios[at] = prio;
    this.lastSwitch[cpu] = at;
  }

  private trackEvent(kind: RecordKind, nowNs: number, track: number, name: number, value: number): void {
    const cost = EVENT_BYTES + this.names.entityCost(track) + this.names.textCost(name);
    if (!this.admit(nowNs, cost)) return;
    const at = this.batch.add(kind, nowNs);
    this.batch.ids[at] = track;
    this.batch.names[at] = name;
    this.batch.values[at] = value;
  }

  private schedCost(cpu: number, thread: number, name: number): number {
    const textBytes = TEXT_UNIT_BYTES * this.names.text(name).length;
    const bundleBytes = this.lastSwitch[cpu] === undefined ? BUNDLE_BYTES : 0;
    return EVENT_BYTES + textBytes + bundleBytes + this.names.entityCost(thread);
  }

  /** Whether an event of this cost is within the window and has room. */
  private admit(nowNs: number, cost: number): boolean {
    if (nowNs < this.fromNs || nowNs > this.toNs) return false;
    if (!this.started) this.start();
    if (this.cutAtNs !== undefined) {
      this.cutEvents++;
      return false;
    }
    if (this.batch.full) this.writeBatch();
    // In a new batch the CPU's part begins anew.
    const most = cost + BUNDLE_BYTES;
    if (!this.hasRoom(most) && this.chargedBytes >= WORTH_WRITING) this.writeBatch();
    if (!this.hasRoom(most)) {
      this.cutAtNs = nowNs;
      this.cutEvents++;
      return false;
    }
    this.chargedBytes += cost;
    this.events++;
    return true;
  }

  private hasRoom(cost: number): boolean {
    return this.writtenBytes + this.chargedBytes + cost + END_BYTES <= this.limitBytes;
  }

  /** Shows what goes on at the begin of the window. */
  private start(): void {
    this.started = true;
    this.running.forEach((thread, cpu) => {
      if (thread !== IDLE) this.switchTo(this.fromNs, cpu, thread, this.runningPrio[cpu]!, PrevState.Runnable);
    });
    for (const [track, open] of this.open) {
      for (const name of open) this.trackEvent(RecordKind.Begin, this.fromNs, track, name, 0);
    }
    for (const [track, value] of this.counters) this.trackEvent(RecordKind.Counter, this.fromNs, track, 0, value);
  }

  private cpuTrack(cpu: number): number {
    let track = this.cpuTracks.get(cpu);
    if (track === undefined) {
      track = this.track(`CPU ${cpu}`);
      this.cpuTracks.set(cpu, track);
    }
    return track;
  }

  private writeBatch(): void {
    this.batchWriter.write();
    this.batch.count = 0;
    this.chargedBytes = 0;
    this.lastSwitch.fill(undefined);
    this.handOut();
  }

  private handOut(): void {
    if (this.out.length === 0) return;
    this.writtenBytes += this.out.length;
    this.write(this.out.written);
    this.out.reset();
  }
}
