// Requests that no correct client makes, from a seed: the same seed gives the same requests.
import fc from 'fast-check';
import { scenarioYaml } from './cluster.js';

export interface WrongRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
}

const SUBMIT = '/api/v1/experiments';
const CHECK = '/api/v1/scenarios/check';
const GOOD = scenarioYaml('workload: { items: 10 }, variants: [before], replications: 1');
const yaml = { 'content-type': 'application/yaml' };

/** What YAML parsers, schemas and JavaScript objects stumble over. */
const NASTY = [
  'null',
  '~',
  '""',
  '-0',
  '.nan',
  '.inf',
  '1e999',
  '9007199254740993',
  '-1',
  '0x10',
  '1_000',
  '[]',
  '{}',
  '[[[[]]]]',
  '{ a: { b: { c: 1 } } }',
  '__proto__',
  '{ __proto__: { x: 1 } }',
  '{ constructor: 1 }',
  '*missing',
  '&a [*a]',
  '!!binary abc',
  '!!js/function "x"',
  '!unknown x',
  '? [complex]: 1',
  '"\\u0000"',
  '"\\ud800"',
  '2001-01-01',
  '<<: *x',
  "'",
  '"',
  '|',
  '%TAG',
  '@',
  '`',
  '\t',
];
const nasty = fc.constantFrom(...NASTY);
const anyText = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 50 }));

/** The good scenario with some characters replaced: often still YAML, seldom still a scenario. */
const mutated = fc
  .array(fc.tuple(fc.nat(GOOD.length), fc.nat(12), anyText), { minLength: 1, maxLength: 4 })
  .map((cuts) =>
    cuts.reduce(
      (text, [at, length, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + length),
      GOOD,
    ),
  );

const FIELDS = [
  'seed',
  'replications',
  'timeout',
  'machine',
  'workload',
  'variants',
  'sweep',
  'find',
  'thresholds',
  'x',
];
/** A scenario with one field that has a nasty value. */
const wrongField = fc.tuple(fc.constantFrom(...FIELDS), nasty).map(([field, value]) => {
  const rest = FIELDS.includes(field) && field !== 'variants' ? 'variants: [before], ' : '';
  return scenarioYaml(`${rest}"${field}": ${value}`);
});

const range = (n: number) => `[${Array.from({ length: n }, (_, i) => i + 1).join(',')}]`;
/** Sweeps of up to 10^9 cells and more. */
const wrongSize = fc
  .tuple(fc.constantFrom(10, 100, 1000), fc.integer({ min: 3, max: 9 }), fc.integer({ min: 1, max: 1000 }))
  .map(([values, axes, replications]) => {
    const sweep = Array.from({ length: axes }, (_, axis) => `workload.a${axis}: ${range(values)}`).join(', ');
    return scenarioYaml(`variants: [before, fast], replications: ${replications}, sweep: { ${sweep} }`);
  });

const deep = fc
  .tuple(fc.constantFrom('[', '{a: ', '- ', '{', '"', '? '), fc.integer({ min: 100, max: 8_000 }))
  .map(([piece, times]) => piece.repeat(times));
const bomb = fc.integer({ min: 3, max: 12 }).map((levels) => {
  const line = (level: number) =>
    `l${level}: &l${level} [${Array.from({ length: 9 }, () => `*l${level - 1}`).join(',')}]`;
  return ['l0: &l0 [1,1,1]', ...Array.from({ length: levels }, (_, level) => line(level + 1))].join('\n');
});
const bytes = fc.uint8Array({ maxLength: 2_000 }).map((array) => new Uint8Array(array));
const tooLong = fc.constantFrom(70_000, 200_000, 1_000_000).map((length) => `a: "${'x'.repeat(length)}"`);

const scenario = fc.oneof(
  { weight: 6, arbitrary: mutated },
  { weight: 4, arbitrary: wrongField },
  { weight: 1, arbitrary: wrongSize },
  { weight: 2, arbitrary: deep },
  { weight: 1, arbitrary: bomb },
  { weight: 2, arbitrary: bytes },
  { weight: 1, arbitrary: tooLong },
  { weight: 2, arbitrary: anyText },
);
const wrongScenario = fc.tuple(scenario, fc.constantFrom(CHECK, CHECK, SUBMIT)).map(([body, path]): WrongRequest => ({
  method: 'POST',
  path,
  headers: yaml,
  body,
}));

const segment = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom('..', '%00', '%2e%2e', '%ff', '%', '0'.repeat(32)),
);
const encoded = segment.map((text) => {
  try {
    return text.startsWith('%') ? text : encodeURIComponent(text);
  } catch {
    return '%ED%A0%80';
  }
});
const wrongPath = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
    fc.constantFrom(
      '/api/v1/experiments/',
      '/api/v1/cells/',
      '/api/v1/scenarios/x/',
      '/api/v1/mechanisms/x/',
      '/api/v1/',
    ),
    encoded,
    fc.constantFrom('', '/report', '/cells', '/events', '/series/x', '/cancel'),
  )
  .map(([method, base, part, rest]): WrongRequest => ({ method, path: `${base}q${part}${rest}`, headers: {} }));
const wrongQuery = fc
  .tuple(
    fc.constantFrom('limit', 'cursor', 'state', 'unknown', '__proto__', 'limit[]'),
    fc.string({ unit: 'binary', maxLength: 30 }),
  )
  .map(([name, value]): WrongRequest => ({
    method: 'GET',
    path: `${SUBMIT}?${encodeURIComponent(name)}=${encodeURIComponent(`!${value.toWellFormed()}`)}`,
    headers: {},
  }));
const wrongType = fc
  .tuple(
    fc.constantFrom('application/xml', 'multipart/form-data', 'application/x-www-form-urlencoded', 'x', '*/*'),
    anyText,
  )
  .map(([type, body]): WrongRequest => ({
    method: 'POST',
    path: SUBMIT,
    headers: { 'content-type': type },
    body: `${body} `,
  }));
const wrongKey = fc.integer({ min: 201, max: 4_000 }).map((length): WrongRequest => ({
  method: 'POST',
  path: SUBMIT,
  headers: { ...yaml, 'idempotency-key': 'k'.repeat(length) },
  body: GOOD,
}));

const wrongRequest = fc.oneof(
  { weight: 8, arbitrary: wrongScenario },
  { weight: 2, arbitrary: wrongPath },
  { weight: 2, arbitrary: wrongQuery },
  { weight: 1, arbitrary: wrongType },
  { weight: 1, arbitrary: wrongKey },
);

export function wrongRequests(count: number, seed: number): WrongRequest[] {
  return fc.sample(wrongRequest, { numRuns: count, seed });
}
