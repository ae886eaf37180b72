// Packets of a Perfetto trace. Field numbers: protos/perfetto/trace in github.com/google/perfetto.
//
// What CPUs do goes out as ftrace's sched_switch and sched_waking (compact: delta times in columns, about 8 bytes an event),
// so that the viewer shows CPUs, thread states and wakeups as it does for a real kernel. Everything else is track events.
// The clock is the viewer's default one (boot time), and it is virtual time in ns.
import type { ProtoWriter } from './proto-writer.js';

const TRACE_PACKET = 1;
/** All packets are of one sequence, whose interned names hold from its first packet on. */
const SEQUENCE_ID = 1;
const STATE_CLEARED = 1;
const NEEDS_STATE = 2;

const PACKET = {
  ftraceEvents: 1,
  timestamp: 8,
  sequenceId: 10,
  trackEvent: 11,
  internedData: 12,
  sequenceFlags: 13,
  trackDescriptor: 60,
  firstPacketOnSequence: 87,
} as const;
const DESCRIPTOR = { uuid: 1, name: 2, process: 3, thread: 4, parent: 5, counter: 8 } as const;
const PROCESS = { pid: 1, name: 6 } as const;
const THREAD = { pid: 1, tid: 2, name: 5 } as const;
const COUNTER_UNIT_NAME = 6;
const INTERNED = { eventNames: 2, iid: 1, name: 2 } as const;
const EVENT = { type: 9, nameIid: 10, trackUuid: 11, counterValue: 30, doubleCounterValue: 44 } as const;
const BUNDLE = { cpu: 1, compactSched: 4 } as const;
const COMPACT = {
  switchTimestamp: 1,
  switchPrevState: 2,
  switchNextPid: 3,
  switchNextPrio: 4,
  internTable: 5,
  switchNextCommIndex: 6,
  wakingTimestamp: 7,
  wakingPid: 8,
  wakingTargetCpu: 9,
  wakingPrio: 10,
  wakingCommIndex: 11,
  wakingCommonFlags: 12,
} as const;

/** The one process that all tasks are threads of, and its track. */
export const PROCESS_ID = 1;
/** The viewer refuses ftrace bundles of CPUs from this one on. */
export const FTRACE_CPUS = 1024;

export const enum EventType {
  Begin = 1,
  End = 2,
  Instant = 3,
  Counter = 4,
}

/** Runs of one CPU, by column; `count` rows of each. */
export interface SchedColumns {
  readonly count: number;
  timeNs(row: number): number;
  tid(row: number): number;
  prio(row: number): number;
  /** Index into the names that go with the bundle. */
  comm(row: number): number;
  /** prev_state of a switch; target CPU of a wakeup. */
  extra(row: number): number;
  /** Of a wakeup: 8 in hard interrupt context. */
  flags(row: number): number;
}

function openPacket(out: ProtoWriter): number {
  const packet = out.open(TRACE_PACKET);
  out.uint(PACKET.sequenceId, SEQUENCE_ID);
  return packet;
}

/** The first packet: begins the sequence and names the process. */
export function writeProcess(out: ProtoWriter, name: string): void {
  const packet = openPacket(out);
  out.uint(PACKET.sequenceFlags, STATE_CLEARED);
  out.uint(PACKET.firstPacketOnSequence, 1);
  const descriptor = out.open(PACKET.trackDescriptor);
  out.uint(DESCRIPTOR.uuid, PROCESS_ID);
  const process = out.open(DESCRIPTOR.process);
  out.uint(PROCESS.pid, PROCESS_ID);
  out.string(PROCESS.name, name);
  out.close(process);
  out.close(descriptor);
  out.close(packet);
}

/** A task: a thread of the process, with a track of its own under its thread id. */
export function writeThread(out: ProtoWriter, tid: number, name: string): void {
  const packet = openPacket(out);
  const descriptor = out.open(PACKET.trackDescriptor);
  out.uint(DESCRIPTOR.uuid, tid);
  const thread = out.open(DESCRIPTOR.thread);
  out.uint(THREAD.pid, PROCESS_ID);
  out.uint(THREAD.tid, tid);
  out.string(THREAD.name, name);
  out.close(thread);
  out.close(descriptor);
  out.close(packet);
}

/** A track for slices or, with a unit, for a counter; under `parent`, or on its own when that is 0. */
export function writeTrack(out: ProtoWriter, id: number, name: string, parent: number, unit: string | undefined): void {
  const packet = openPacket(out);
  const descriptor = out.open(PACKET.trackDescriptor);
  out.uint(DESCRIPTOR.uuid, id);
  out.string(DESCRIPTOR.name, name);
  if (parent !== 0) out.uint(DESCRIPTOR.parent, parent);
  if (unit !== undefined) {
    const counter = out.open(DESCRIPTOR.counter);
    out.string(COUNTER_UNIT_NAME, unit);
    out.close(counter);
  }
  out.close(descriptor);
  out.close(packet);
}

/** A name that events after it refer to by `iid`, from 1 on. */
export function writeName(out: ProtoWriter, iid: number, name: string): void {
  const packet = openPacket(out);
  out.uint(PACKET.sequenceFlags, NEEDS_STATE);
  const interned = out.open(PACKET.internedData);
  const entry = out.open(INTERNED.eventNames);
  out.uint(INTERNED.iid, iid);
  out.string(INTERNED.name, name);
  out.close(entry);
  out.close(interned);
  out.close(packet);
}

/** A slice's begin or end, an instant, or (with `value`) a counter's value. `iid` 0: without a name. */
export function writeEvent(
  out: ProtoWriter,
  timeNs: number,
  type: EventType,
  track: number,
  iid: number,
  value: number,
): void {
  const packet = openPacket(out);
  out.uint(PACKET.timestamp, timeNs);
  out.uint(PACKET.sequenceFlags, NEEDS_STATE);
  const event = out.open(PACKET.trackEvent);
  out.uint(EVENT.type, type);
  out.uint(EVENT.trackUuid, track);
  if (type === EventType.Counter) {
    if (value >= 0 && Number.isSafeInteger(value)) out.uint(EVENT.counterValue, value);
    else out.double(EVENT.doubleCounterValue, value);
  } else if (iid !== 0) {
    out.uint(EVENT.nameIid, iid);
  }
  out.close(event);
  out.close(packet);
}

/** What one CPU switched to and whom it woke, each in the order of time. */
export function writeSched(
  out: ProtoWriter,
  cpu: number,
  comms: readonly string[],
  switches: SchedColumns,
  wakings: SchedColumns,
): void {
  const packet = openPacket(out);
  const bundle = out.open(PACKET.ftraceEvents);
  out.uint(BUNDLE.cpu, cpu);
  const compact = out.open(BUNDLE.compactSched);
  for (const comm of comms) out.string(COMPACT.internTable, comm);
  if (switches.count > 0) {
    times(out, COMPACT.switchTimestamp, switches);
    column(out, COMPACT.switchPrevState, switches, 'extra');
    column(out, COMPACT.switchNextPid, switches, 'tid');
    column(out, COMPACT.switchNextPrio, switches, 'prio');
    column(out, COMPACT.switchNextCommIndex, switches, 'comm');
  }
  if (wakings.count > 0) {
    times(out, COMPACT.wakingTimestamp, wakings);
    column(out, COMPACT.wakingPid, wakings, 'tid');
    column(out, COMPACT.wakingTargetCpu, wakings, 'extra');
    column(out, COMPACT.wakingPrio, wakings, 'prio');
    column(out, COMPACT.wakingCommIndex, wakings, 'comm');
    column(out, COMPACT.wakingCommonFlags, wakings, 'flags');
  }
  out.close(compact);
  out.close(bundle);
  out.close(packet);
}

function times(out: ProtoWriter, field: number, columns: SchedColumns): void {
  const start = out.open(field);
  let before = 0;
  for (let row = 0; row < columns.count; row++) {
    const timeNs = columns.timeNs(row);
    out.varint(timeNs - before);
    before = timeNs;
  }
  out.close(start);
}

function column(
  out: ProtoWriter,
  field: number,
  columns: SchedColumns,
  what: 'tid' | 'prio' | 'comm' | 'extra' | 'flags',
): void {
  const start = out.open(field);
  for (let row = 0; row < columns.count; row++) out.varint(columns[what](row));
  out.close(start);
}
