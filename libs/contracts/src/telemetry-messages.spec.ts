import {
  TelemetryDigest,
  type CellOutcome,
  type ColumnSpec,
  type Frame,
  type TelemetryHeader,
  type Unit,
} from '@kworkbench/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PublishRequest } from './index.js';
import * as wire from './generated/kworkbench/v1/telemetry.js';
import {
  columnFromBytes,
  columnToBytes,
  frameFromMessage,
  frameToMessage,
  headerFromMessage,
  outcomeFromMessage,
  outcomeToMessage,
  tablesToMessage,
} from './telemetry-messages.js';

const units: Unit[] = ['bytes', 'seconds', 'bytes_per_second', 'per_second', 'ratio', 'count', 'total'];
const name = fc.stringMatching(/^[a-z][a-z_]{0,12}$/);
const columnSpec: fc.Arbitrary<ColumnSpec> = fc.record({
  name,
  unit: fc.constantFrom(...units),
  help: fc.string({ unit: 'binary' }),
});
const header: fc.Arbitrary<TelemetryHeader> = fc.record({
  tables: fc.array(fc.record({ name, help: fc.string(), columns: fc.array(columnSpec, { maxLength: 5 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
});
// Every bit pattern that a double can have, infinities and NaN included.
const double = fc.double();
const frame = (of: TelemetryHeader): fc.Arbitrary<Frame> =>
  fc
    .tuple(fc.nat(of.tables.length - 1), fc.nat(40), fc.nat())
    .chain(([table, rows, sequence]) =>
      fc
        .tuple(
          ...of.tables[table]!.columns.map(() =>
            fc.array(double, { minLength: rows, maxLength: rows }).map((values) => Float64Array.from(values)),
          ),
        )
        .map((columns) => ({ sequence, table, rows, columns })),
    );
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const count = fc.nat({ max: 2 ** 31 });
const outcome: fc.Arbitrary<CellOutcome> = fc.record({
  metrics: fc.dictionary(name, finite, { noNullPrototype: true }),
  histograms: fc.array(
    fc.record({
      name,
      unit: fc.constantFrom(...units),
      help: fc.string(),
      scale: finite,
      total: count,
      min: finite,
      max: finite,
      sum: finite,
      indexes: fc.array(count),
      counts: fc.array(fc.maxSafeNat()),
    }),
    { maxLength: 3 },
  ),
  virtualSeconds: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  events: fc.maxSafeNat(),
});

/** Over the wire and back, as gRPC does it. */
const sent = (request: wire.PublishRequest) => PublishRequest.decode(PublishRequest.encode(request).finish()).part!;
const bits = (column: Float64Array) => Buffer.from(columnToBytes(column)).toString('hex');

const digest = (of: CellOutcome) => {
  const hash = new TelemetryDigest();
  hash.header({ tables: [] });
  return hash.outcome(of);
};

describe('telemetry messages', () => {
  it('carry a header over the wire unchanged', () => {
    fc.assert(
      fc.property(header, (given) => {
        const part = sent({
          part: {
            $case: 'header',
            value: { tables: tablesToMessage(given) },
          },
        });
        expect(headerFromMessage((part.value as wire.CellHeader).tables)).toEqual(given);
      }),
    );
  });

  it('carry every bit of every column over the wire', () => {
    fc.assert(
      fc.property(
        header.chain((of) => fc.tuple(fc.constant(of), frame(of))),
        ([of, given]) => {
          const part = sent({ part: { $case: 'frame', value: frameToMessage(given) } });
          const got = frameFromMessage(part.value as wire.Frame, of);
          expect({ ...got, columns: got.columns.map(bits) }).toEqual({ ...given, columns: given.columns.map(bits) });
        },
      ),
    );
  });

  it('carry an outcome over the wire unchanged, order of the metrics included', () => {
    fc.assert(
      fc.property(outcome, (given) => {
        const part = sent({
          part: {
            $case: 'end',
            value: { result: { $case: 'outcome', value: outcomeToMessage(given, 'd', 1.5) } },
          },
        });
        const got = outcomeFromMessage((part.value as wire.CellEnd).result!.value as wire.CellOutcome);
        expect(JSON.stringify(got)).toBe(JSON.stringify(given));
        expect(digest(got)).toBe(digest(given));
      }),
    );
  });

  it('refuse an outcome whose names and values do not pair up', () => {
    const message = {
      ...outcomeToMessage({ metrics: { a: 1 }, histograms: [], virtualSeconds: 0, events: 0 }, 'd', 1),
    };
    expect(() => outcomeFromMessage({ ...message, metricValues: [] })).toThrow('expected 1 metric values, got 0');
  });

  it('share the memory of a column instead of copying it', () => {
    const column = Float64Array.of(1, 2, 3);
    expect(columnToBytes(column).buffer).toBe(column.buffer);
    expect(columnFromBytes(columnToBytes(column)).buffer).toBe(column.buffer);
  });

  it('read a column from bytes that are not aligned', () => {
    const bytes = new Uint8Array(1 + 16);
    bytes.set(columnToBytes(Float64Array.of(0.5, -7)), 1);
    expect([...columnFromBytes(bytes.subarray(1))]).toEqual([0.5, -7]);
  });

  const one: TelemetryHeader = { tables: [{ name: 't', help: '', columns: [{ name: 'x', unit: 'bytes', help: '' }] }] };
  it.each([
    [{ sequence: 3, table: 1, rows: 0, columns: [] }, 'frame 3: expected a table from 0 to 0, got 1'],
    [{ sequence: 3, table: 0, rows: 0, columns: [] }, 'frame 3: expected 1 columns, got 0'],
    [{ sequence: 3, table: 0, rows: 2, columns: [new Uint8Array(8)] }, 'frame 3: expected 2 rows in column x, got 1'],
    [{ sequence: 3, table: 0, rows: 1, columns: [new Uint8Array(7)] }, 'column: expected a multiple of 8 bytes, got 7'],
  ])('name what is wrong with a frame: %j', (message, text) => {
    expect(() => frameFromMessage(message, one)).toThrow(text);
  });

  it('name a unit that nobody knows', () => {
    expect(() =>
      headerFromMessage([{ name: 't', help: '', columns: [{ name: 'x', unit: 'furlong', help: '' }] }]),
    ).toThrow('table t, column x: expected a unit');
  });
});
