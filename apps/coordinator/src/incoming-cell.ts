// What has arrived of one cell, in the order that the contract demands. Nothing of it is stored before the end, and the
// end is accepted only when the digest of what arrived is the one that the service took.
import {
  frameFromMessage,
  headerFromMessage,
  MalformedMessage,
  outcomeFromMessage,
  type PublishRequest,
  type telemetryV1,
} from '@kworkbench/contracts';
import type { CellFailureKind } from '@kworkbench/experiment';
import { TelemetryDigest, type TelemetryHeader } from '@kworkbench/telemetry';
import { KeptTelemetry } from './kept-telemetry.js';
import type { CellCommit } from './store/index.js';

const CELL_ID = /^[0-9a-f]{32}$/;
const FAILURE_KINDS: readonly string[] = [
  'invariant',
  'model',
  'memory',
  'timeout',
  'cancelled',
] satisfies CellFailureKind[];

/** The digest of what arrived is not the digest of what was sent. */
export class TelemetryDamaged extends Error {
  override readonly name = 'TelemetryDamaged';
}

export class IncomingCell {
  begin: telemetryV1.CellBegin | undefined;
  frames = 0;
  readonly #digest = new TelemetryDigest();
  #header: TelemetryHeader | undefined;
  #kept: KeptTelemetry | undefined;
  #ended = false;

  /** Memory that is held until the end. */
  get bytes(): number {
    return this.#kept?.bytes ?? 0;
  }

  /**
   * Takes the next message. @returns what to commit once the end has arrived.
   * @throws MalformedMessage, TelemetryDamaged
   */
  take(message: PublishRequest): CellCommit | undefined {
    const { part } = message;
    if (this.#ended) throw new MalformedMessage('expected nothing after the end');
    switch (part?.$case) {
      case 'begin':
        return void this.#takeBegin(part.value);
      case 'header':
        return void this.#takeHeader(part.value);
      case 'frame':
        return void this.#takeFrame(part.value);
      case 'end':
        this.#ended = true;
        return this.#takeEnd(part.value);
      default:
        throw new MalformedMessage('expected begin, header, frame or end, got nothing');
    }
  }

  #takeBegin(begin: telemetryV1.CellBegin): void {
    if (this.begin) throw new MalformedMessage('expected one beginning, got a second one');
    if (!CELL_ID.test(begin.cellId)) {
      throw new MalformedMessage(`begin.cell_id: expected 32 hex digits, got "${begin.cellId}"`);
    }
    this.begin = begin;
  }

  #takeHeader(message: telemetryV1.CellHeader): void {
    if (!this.begin) throw new MalformedMessage('expected the beginning first, got the header');
    if (this.#header) throw new MalformedMessage('expected one header, got a second one');
    this.#header = headerFromMessage(message.tables);
    this.#digest.header(this.#header);
    this.#kept = new KeptTelemetry(this.#header);
  }

  #takeFrame(message: telemetryV1.Frame): void {
    if (!this.#header) throw new MalformedMessage('expected the header first, got a frame');
    if (message.sequence !== this.frames) {
      throw new MalformedMessage(`expected frame ${this.frames}, got ${message.sequence}`);
    }
    const frame = frameFromMessage(message, this.#header);
    // The digest is of all that arrives, also of what is thinned out.
    this.#digest.frame(frame);
    this.#kept!.add(frame);
    this.frames++;
  }

  #takeEnd({ result }: telemetryV1.CellEnd): CellCommit {
    if (!this.begin) throw new MalformedMessage('expected the beginning first, got the end');
    const { cellId, mechanism } = this.begin;
    if (result?.$case === 'failure') return { cellId, failure: { cellId, ...failure(result.value) } };
    if (result?.$case !== 'outcome') throw new MalformedMessage('end: expected an outcome or a failure, got nothing');
    if (!this.#header) throw new MalformedMessage('expected the header first, got an outcome');
    const outcome = outcomeFromMessage(result.value);
    const { digest, wallSeconds } = result.value;
    const arrived = this.#digest.outcome(outcome);
    if (arrived !== digest) {
      throw new TelemetryDamaged(`cell ${cellId}: digest of what arrived is ${arrived}, of what was sent "${digest}"`);
    }
    return {
      cellId,
      mechanism,
      header: this.#header,
      ...this.#kept!.take(),
      result: { ...outcome, cellId, digest, wallSeconds },
    };
  }
}

function failure(message: telemetryV1.CellFailure): { kind: CellFailureKind; message: string } {
  if (!FAILURE_KINDS.includes(message.kind)) {
    throw new MalformedMessage(`failure.kind: expected one of ${FAILURE_KINDS.join(', ')}, got "${message.kind}"`);
  }
  return { kind: message.kind as CellFailureKind, message: message.message };
}
