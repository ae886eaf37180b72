// What the ids in a trace stand for: texts, threads and tracks. Each is written out before the first event that uses it,
// and once; until then it has cost nothing of the limit.
import type { ProtoWriter } from './proto-writer.js';
import { PROCESS_ID, writeName, writeThread, writeTrack } from './perfetto.js';

/** Upper bound of the packet that describes an entity, without its text. */
const DESCRIPTION_BYTES = 64;
/** A UTF-16 code unit is at most three bytes. */
const BYTES_PER_UNIT = 3;

interface Entity {
  readonly kind: 'thread' | 'track' | 'counter';
  readonly name: string;
  /** Of the name. */
  readonly text: number;
  readonly parent: number;
  readonly unit: string | undefined;
}

export class TraceNames {
  private readonly texts: string[] = [''];
  private readonly ids = new Map<string, number>([['', 0]]);
  /** By id; 0 is the idle thread, 1 the process. */
  private readonly entities: (Entity | undefined)[] = [undefined, undefined];
  private readonly textWritten: boolean[] = [true];
  private readonly entityWritten: boolean[] = [true, true];

  text(id: number): string {
    return this.texts[id]!;
  }

  /** The id of a text; 0 is no text. */
  idOf(text: string): number {
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    const id = this.texts.push(text) - 1;
    this.ids.set(text, id);
    this.textWritten.push(false);
    return id;
  }

  addThread(name: string): number {
    return this.add('thread', name, PROCESS_ID, undefined);
  }

  addTrack(name: string, parent: number): number {
    return this.add('track', name, parent, undefined);
  }

  addCounter(name: string, unit: string, parent: number): number {
    return this.add('counter', name, parent, unit);
  }

  nameOf(id: number): string {
    return this.entities[id]?.name ?? '';
  }

  /** The id of an entity's name. */
  textOf(id: number): number {
    return this.entities[id]!.text;
  }

  /** How many bytes at most {@link describe} will write. */
  entityCost(id: number): number {
    if (this.entityWritten[id] === true) return 0;
    const entity = this.entities[id]!;
    const own = DESCRIPTION_BYTES + BYTES_PER_UNIT * (entity.name.length + (entity.unit?.length ?? 0));
    return own + this.entityCost(entity.parent);
  }

  /** How many bytes at most {@link spell} will write. */
  textCost(id: number): number {
    return this.textWritten[id] === true ? 0 : DESCRIPTION_BYTES + BYTES_PER_UNIT * this.texts[id]!.length;
  }

  /** Writes what the entity is, after what it is under. */
  describe(out: ProtoWriter, id: number): void {
    if (this.entityWritten[id] === true) return;
    this.entityWritten[id] = true;
    const { kind, name, parent, unit } = this.entities[id]!;
    this.describe(out, parent);
    if (kind === 'thread') writeThread(out, id, name);
    else writeTrack(out, id, name, parent, unit);
  }

  /** Writes the text under its id for the events that follow. */
  spell(out: ProtoWriter, id: number): void {
    if (this.textWritten[id] === true) return;
    this.textWritten[id] = true;
    writeName(out, id, this.texts[id]!);
  }

  private add(kind: Entity['kind'], name: string, parent: number, unit: string | undefined): number {
    this.entityWritten.push(false);
    return this.entities.push({ kind, name, text: this.idOf(name), parent, unit }) - 1;
  }
}
