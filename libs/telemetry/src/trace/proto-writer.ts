// The protobuf wire format, as much as a trace needs: varints, doubles, strings and nested messages, into one buffer that
// grows and is used again. Nothing is allocated per field but text.

const WIRE_VARINT = 0;
const WIRE_DOUBLE = 1;
const WIRE_LENGTH = 2;
const TWO_TO_28 = 2 ** 28;
/** Longest varint of a number up to 2^53 - 1. */
export const VARINT_MAX = 8;

const encoder = new TextEncoder();

export class ProtoWriter {
  length = 0;
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);

  /** What has been written since the last {@link reset}; a view that later writes change. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }

  /** An integer from 0 to 2^53 - 1, without a tag. */
  varint(value: number): void {
    this.reserve(VARINT_MAX);
    const { bytes } = this;
    let rest = value;
    while (rest >= TWO_TO_28) {
      bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.length++] = rest;
  }

  uint(field: number, value: number): void {
    this.varint(field * 8 + WIRE_VARINT);
    this.varint(value);
  }

  double(field: number, value: number): void {
    this.varint(field * 8 + WIRE_DOUBLE);
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  string(field: number, text: string): void {
    this.varint(field * 8 + WIRE_LENGTH);
    const utf8 = encoder.encode(text);
    this.varint(utf8.length);
    this.reserve(utf8.length);
    this.bytes.set(utf8, this.length);
    this.length += utf8.length;
  }

  /** Opens a nested message or a packed field. @returns what {@link close} wants. */
  open(field: number): number {
    this.varint(field * 8 + WIRE_LENGTH);
    this.reserve(1);
    return ++this.length;
  }

  /** Fills in the length: one byte is kept free for it, a longer body moves to make room. */
  close(start: number): void {
    const size = this.length - start;
    if (size < 128) {
      this.bytes[start - 1] = size;
      return;
    }
    const extra = varintSize(size) - 1;
    this.reserve(extra);
    this.bytes.copyWithin(start + extra, start, this.length);
    const end = this.length + extra;
    this.length = start - 1;
    this.varint(size);
    this.length = end;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
