import { frameToMessage, outcomeToMessage, tablesToMessage, type PublishRequest } from '@kworkbench/contracts';
import { describe, expect, it } from 'vitest';
import { IncomingCell } from './incoming-cell.js';
import { sampleCell } from './testing/sample-cell.js';

const cellId = 'c'.repeat(32);
const { header, frames, outcome, digest } = sampleCell(2);

const begin = (id = cellId): PublishRequest => ({
  part: { $case: 'begin', value: { cellId: id, mechanism: 'm', instance: 'i', experimentId: 'e' } },
});
const head = (): PublishRequest => ({ part: { $case: 'header', value: { tables: tablesToMessage(header) } } });
const frame = (index: number): PublishRequest => ({
  part: { $case: 'frame', value: frameToMessage(frames[index]!) },
});
const end = (claimed = digest, of = outcome): PublishRequest => ({
  part: {
    $case: 'end',
    value: { result: { $case: 'outcome', value: outcomeToMessage(of, claimed, 1.5) } },
  },
});
const failed = (kind: string): PublishRequest => ({
  part: { $case: 'end', value: { result: { $case: 'failure', value: { kind, message: 'because' } } } },
});

const take = (...messages: PublishRequest[]) => {
  const cell = new IncomingCell();
  return messages.map((message) => cell.take(message)).at(-1);
};

describe('an incoming cell', () => {
  it('becomes a commit at its end, with exactly what arrived', () => {
    expect(take(begin(), head(), frame(0), frame(1), end())).toEqual({
      cellId,
      mechanism: 'm',
      header,
      frames,
      result: { ...outcome, cellId, digest, wallSeconds: 1.5 },
    });
  });

  it('becomes a failure, whatever frames came before', () => {
    expect(take(begin(), head(), frame(0), failed('invariant'))).toEqual({
      cellId,
      failure: { cellId, kind: 'invariant', message: 'because' },
    });
  });

  it.each([
    ['a frame is lost', [begin(), head(), frame(0), end()], 'digest of what arrived is'],
    [
      'a metric is another',
      [begin(), head(), frame(0), frame(1), end(digest, { ...outcome, metrics: { x_total: 2 } })],
      'digest',
    ],
    ['the digest is another', [begin(), head(), frame(0), frame(1), end('f'.repeat(64))], 'digest of what arrived is'],
    ['the header is missing', [begin(), frame(0)], 'expected the header first, got a frame'],
    ['there is only an end', [end()], 'expected the beginning first, got the end'],
    ['there is no beginning', [head()], 'expected the beginning first, got the header'],
    ['it begins twice', [begin(), begin()], 'expected one beginning, got a second one'],
    ['the outcome has no header', [begin(), end()], 'expected the header first, got an outcome'],
    ['there are two headers', [begin(), head(), head()], 'expected one header, got a second one'],
    ['a frame comes twice', [begin(), head(), frame(0), frame(0)], 'expected frame 1, got 0'],
    ['a frame is left out', [begin(), head(), frame(1)], 'expected frame 0, got 1'],
    ['something follows the end', [begin(), failed('model'), frame(0)], 'expected nothing after the end'],
    ['the cell id is no hash', [begin('../x')], 'begin.cell_id: expected 32 hex digits, got "../x"'],
    ['the failure is of no known kind', [begin(), failed('mood')], 'failure.kind: expected one of invariant, model'],
    ['a message is empty', [{ part: undefined }], 'expected begin, header, frame or end, got nothing'],
    [
      'the end is empty',
      [begin(), { part: { $case: 'end', value: { result: undefined } } }],
      'end: expected an outcome',
    ],
  ] as [string, PublishRequest[], string][])('is refused when %s', (_what, messages, text) => {
    expect(() => take(...messages)).toThrow(text);
  });
});
