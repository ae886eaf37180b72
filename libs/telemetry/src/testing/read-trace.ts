// Reads a trace back as the viewer would, and refuses what the viewer would have to guess at: names or
// tracks that nothing described, time that goes back within a CPU, ends of slices that did not begin.
import protobuf from 'protobufjs';
import { PERFETTO_SCHEMA } from './perfetto-schema.js';

const TRACE = protobuf.parse(PERFETTO_SCHEMA).root.lookupType('Trace');

export interface Slice {
  readonly name: string;
  readonly startNs: number;
  /** Undefined: open at the end of the trace. */
  endNs: number | undefined;
}

export interface CpuSlice extends Slice {
  readonly cpu: number;
  readonly tid: number;
  readonly prio: number;
  /** prev_state of the switch that ended it. */
  endState: number | undefined;
}

export interface Waking {
  readonly timeNs: number;
  readonly cpu: number;
  readonly tid: number;
  readonly target: number;
  readonly flags: number;
}

export interface TrackSlice extends Slice {
  /** How many slices of its track it is within. */
  readonly depth: number;
}

export interface Track {
  readonly name: string;
  readonly parent: number;
  readonly unit: string | undefined;
  readonly isThread: boolean;
  readonly slices: TrackSlice[];
  readonly instants: [timeNs: number, name: string][];
  readonly counts: [timeNs: number, value: number][];
}

interface Packet {
  ftraceEvents?: { cpu: number; compactSched: Record<string, number[]> & { internTable?: string[] } };
  timestamp?: number;
  trustedPacketSequenceId?: number;
  trackEvent?: {
    type: number;
    nameIid?: number;
    trackUuid: number;
    counterValue?: number;
    doubleCounterValue?: number;
  };
  internedData?: { eventNames: { iid: number; name: string }[] };
  sequenceFlags?: number;
  trackDescriptor?: {
    uuid: number;
    name?: string;
    process?: { pid: number; processName: string };
    thread?: { pid: number; tid: number; threadName: string };
    parentUuid?: number;
    counter?: { unitName?: string };
  };
}

export class TraceReader {
  readonly tracks = new Map<number, Track>();
  readonly cpuSlices: CpuSlice[] = [];
  readonly wakings: Waking[] = [];
  title = '';
  private readonly names = new Map<number, string>();
  private readonly runningOn = new Map<number, CpuSlice>();
  private readonly lastSwitchNs = new Map<number, number>();
  private readonly openOn = new Map<number, TrackSlice[]>();

  /** @throws Error on anything that is not as the format wants it. */
  constructor(bytes: Uint8Array) {
    const { packet } = TRACE.toObject(TRACE.decode(bytes), { longs: Number }) as { packet?: Packet[] };
    for (const each of packet ?? []) this.packet(each);
  }

  /** The track of this name; the first one if there are several. @throws when there is none. */
  track(name: string): Track {
    for (const track of this.tracks.values()) if (track.name === name) return track;
    throw new Error(`no track ${name}`);
  }

  private packet(packet: Packet): void {
    if (packet.trustedPacketSequenceId !== 1) throw new Error('a packet without a sequence');
    if (packet.trackDescriptor) this.descriptor(packet.trackDescriptor);
    for (const { iid, name } of packet.internedData?.eventNames ?? []) this.names.set(iid, name);
    if (packet.ftraceEvents) this.bundle(packet.ftraceEvents.cpu, packet.ftraceEvents.compactSched);
    if (packet.trackEvent) {
      if (packet.sequenceFlags !== 2 || packet.timestamp === undefined)
        throw new Error('an event without time or state');
      this.event(packet.timestamp, packet.trackEvent);
    }
  }

  private descriptor({ uuid, name, process, thread, parentUuid, counter }: Packet['trackDescriptor'] & object): void {
    if (process) {
      this.title = process.processName;
      this.tracks.set(uuid, track(process.processName, 0));
      return;
    }
    if (this.tracks.has(uuid)) throw new Error(`track ${uuid} described twice`);
    if (thread) this.tracks.set(uuid, { ...track(thread.threadName, thread.pid), isThread: true });
    else this.tracks.set(uuid, track(name!, parentUuid ?? 0, counter ? (counter.unitName ?? '') : undefined));
    if (thread && thread.tid !== uuid) throw new Error(`thread ${thread.tid} on track ${uuid}`);
    if (parentUuid !== undefined && !this.tracks.has(parentUuid)) throw new Error(`no track ${parentUuid}`);
  }

  private event(timeNs: number, event: Packet['trackEvent'] & object): void {
    const on = this.tracks.get(event.trackUuid);
    if (on === undefined) throw new Error(`no track ${event.trackUuid}`);
    const open = this.openOn.get(event.trackUuid) ?? [];
    this.openOn.set(event.trackUuid, open);
    const name = event.nameIid === undefined ? '' : this.names.get(event.nameIid);
    if (name === undefined) throw new Error(`no name ${event.nameIid}`);
    if (event.type === 1) {
      const slice: TrackSlice = { name, startNs: timeNs, endNs: undefined, depth: open.length };
      on.slices.push(slice);
      open.push(slice);
    } else if (event.type === 2) {
      const slice = open.pop();
      if (slice === undefined) throw new Error(`${on.name}: an end without a begin`);
      if (slice.startNs > timeNs) throw new Error(`${on.name}: a slice ends before it begins`);
      slice.endNs = timeNs;
    } else if (event.type === 3) on.instants.push([timeNs, name]);
    else on.counts.push([timeNs, event.counterValue ?? event.doubleCounterValue ?? NaN]);
  }

  private bundle(cpu: number, columns: NonNullable<Packet['ftraceEvents']>['compactSched']): void {
    const comms = columns.internTable ?? [];
    const rows = (...names: string[]) => {
      const lengths = new Set(names.map((name) => columns[name]?.length ?? 0));
      if (lengths.size !== 1) throw new Error(`CPU ${cpu}: columns of different length`);
      return [...lengths][0]!;
    };
    const at = (name: string, row: number) => columns[name]![row]!;
    let timeNs = 0;
    const switches = rows(
      'switchTimestamp',
      'switchPrevState',
      'switchNextPid',
      'switchNextPrio',
      'switchNextCommIndex',
    );
    for (let row = 0; row < switches; row++) {
      timeNs += at('switchTimestamp', row);
      const name = comms[at('switchNextCommIndex', row)]!;
      this.switchTo(timeNs, cpu, at('switchPrevState', row), at('switchNextPid', row), name, at('switchNextPrio', row));
    }
    timeNs = 0;
    const wakings = rows('wakingTimestamp', 'wakingPid', 'wakingTargetCpu', 'wakingPrio', 'wakingCommonFlags');
    for (let row = 0; row < wakings; row++) {
      timeNs += at('wakingTimestamp', row);
      const [tid, target] = [at('wakingPid', row), at('wakingTargetCpu', row)];
      this.named(tid, comms[at('wakingCommIndex', row)]!);
      this.wakings.push({ timeNs, cpu, tid, target, flags: at('wakingCommonFlags', row) });
    }
  }

  private switchTo(timeNs: number, cpu: number, prevState: number, tid: number, name: string, prio: number): void {
    if (timeNs < (this.lastSwitchNs.get(cpu) ?? 0)) throw new Error(`CPU ${cpu}: time goes back to ${timeNs}`);
    this.lastSwitchNs.set(cpu, timeNs);
    const before = this.runningOn.get(cpu);
    if (before !== undefined) {
      before.endNs = timeNs;
      before.endState = prevState;
      this.runningOn.delete(cpu);
    }
    if (tid === 0) return;
    this.named(tid, name);
    const slice = { name, startNs: timeNs, endNs: undefined, cpu, tid, prio, endState: undefined };
    this.cpuSlices.push(slice);
    this.runningOn.set(cpu, slice);
  }

  private named(tid: number, name: string): void {
    if (this.tracks.get(tid)?.name !== name) throw new Error(`thread ${tid} is not described as ${name}`);
  }
}

function track(name: string, parent: number, unit?: string): Track {
  return { name, parent, unit, isThread: false, slices: [], instants: [], counts: [] };
}
