// Bring your own variant: the example that is documented, and what a person sees when it is wrong.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ROOT } from './paths.js';
import { kwb } from './testing/kwb.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-variant-'));
afterAll(() => rmSync(folder, { recursive: true }));

const EXAMPLE = readFileSync(join(ROOT, 'libs/mechanisms/netns/src/examples/my-idea.ts'), 'utf8');
const SMALL = ['run', 'netns-unshare-storm', '--set', 'workload.cycles=500', '--replications', '1', '--quiet'];

/** The example with a change, outside of the workspace, and the line on which the change stands. */
function changed(name: string, from: string, to: string): { file: string; line: number } {
  expect(EXAMPLE).toContain(from);
  const file = join(folder, name);
  writeFileSync(file, EXAMPLE.replace(from, to));
  return { file, line: EXAMPLE.slice(0, EXAMPLE.indexOf(from)).split('\n').length };
}

interface ReportJson {
  readonly cells: readonly {
    readonly variant: string;
    readonly digest: string;
    readonly metrics: Record<string, number>;
  }[];
}

test('the example runs beside the variants of the scenario, and can be replayed and resumed from its run directory', async () => {
  const { file } = changed('mine.ts', 'GATHER_NS = 100e6', 'GATHER_NS = 50e6');
  const out = join(folder, 'runs');
  const { stdout } = await kwb([...SMALL, '--variant', file, '--json', '-', '--out', out]);
  const { cells } = JSON.parse(stdout) as ReportJson;
  expect(cells.map(({ variant }) => variant)).toEqual(['before', 'v4', 'gather100ms']);
  const [before, , mine] = cells;
  expect(mine!.metrics['netns_freed_total']).toBe(500);
  expect(mine!.metrics['rcu_barrier_calls_total']).toBeLessThan(before!.metrics['rcu_barrier_calls_total']!);
  const run = join(
    out,
    readdirSync(out).find((name) => !name.startsWith('.'))!,
  );
  rmSync(file);
  expect(await kwb(['replay', run, '--check', '--quiet'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('3 of 3 cells'),
  });
  const again = JSON.parse((await kwb(['resume', run, '--quiet', '--json', '-', '--out', out])).stdout) as ReportJson;
  expect(again.cells.map(({ digest }) => digest)).toEqual(cells.map(({ digest }) => digest));
});

test('a change of one character is another variant: nothing of the old one is taken over', async () => {
  const out = join(folder, 'edited');
  const digestOf = async (file: string) => {
    const { stdout } = await kwb([...SMALL, '--variant', file, '--json', '-', '--out', out]);
    return (JSON.parse(stdout) as ReportJson).cells[2]!.digest;
  };
  const first = await digestOf(changed('edit.ts', 'GATHER_NS = 100e6', 'GATHER_NS = 100e6').file);
  const second = await digestOf(changed('edit.ts', 'GATHER_NS = 100e6', 'GATHER_NS = 900e6').file);
  expect(second).not.toBe(first);
});

describe('what is wrong in the file is said with its line', () => {
  const out = ['--out', join(folder, 'wrong')];

  test.each([
    [
      'freed without a barrier',
      'yield* kernel.rcuBarrier();',
      '',
      1,
      112,
      /I6: an fqdir is freed without an rcu_barrier\(\) .*\(f\d\.ts:(\d+)\)/,
    ],
    ['never freed', 'for (const fqdir of batch) yield* kernel.free(fqdir);', '', 0, 112, /^invariant /m],
    [
      'throws',
      'list = [];\n',
      'list = (null as never)[0];\n',
      0,
      107,
      /f\d\.ts:(\d+): TypeError: Cannot read properties of null/,
    ],
    ['an unknown queue', "'fqdir_wq'", "'fqdir' as 'fqdir_wq'", 0, 107, /f\d\.ts:(\d+): TypeError: no queue fqdir/],
  ])('a design that is %s ends with its own code', async (_, from, to, offset, code, message) => {
    const { file, line } = changed(`f${code % 10}.ts`, from, to);
    const ended = await kwb([...SMALL, '--variants', 'gather100ms', '--variant', file, ...out]);
    expect(ended.code).toBe(code);
    expect(ended.stdout).toMatch(message);
    expect(Number(message.exec(ended.stdout)![1] ?? line)).toBe(line + offset);
  });

  test.each([
    ['no function', 'fqdirExit: gather', 'fqdirExit: 5', /x\.ts:(\d+): fqdirExit: expected a function, got 5$/],
    ['no name', "id: 'gather100ms'", "id: 'a b'", /x\.ts:(\d+): id: expected a name of letters.*, got "a b"$/],
    [
      'the name of a known variant',
      "id: 'gather100ms'",
      "id: 'v4'",
      /x\.ts:(\d+): id: expected another name.*, got "v4"$/,
    ],
    [
      'an unknown mechanism',
      "mechanism: 'netns'",
      "mechanism: 'x' as 'netns'",
      /x\.ts:(\d+): mechanism: expected one of netns/,
    ],
    [
      'an error at its top',
      'const GATHER_NS = 100e6;',
      'const GATHER_NS = nothing;',
      /x\.ts:(\d+): nothing is not defined$/,
    ],
    ['a syntax error', 'let list: BroughtFqdir[] = [];', 'let list: = [];', /x\.ts:(\d+): /],
    ['another file', 'const GATHER_NS = 100e6;', "import { x } from './other.ts';", /x\.ts:(\d+): expected one file/],
  ])('%s', async (_, from, to, message) => {
    const { file, line } = changed('x.ts', from, to);
    const { code, stderr } = await kwb([...SMALL, '--variant', file, ...out]);
    expect(code).toBe(104);
    expect(stderr).toMatch(/^kwb: run: --variant [^\n]+\n$/);
    expect(stderr.trimEnd()).toMatch(message);
    expect(Number(message.exec(stderr.trimEnd())![1])).toBe(line);
  });

  test.each([
    ['a file that is not there', () => join(folder, 'none.ts'), /expected a readable file/],
    [
      'a file without a default export',
      () => changed('y.ts', 'export default idea;', 'export const other = idea;').file,
      /the default export: expected a variant/,
    ],
  ])('%s', async (_, file, message) => {
    const { code, stderr } = await kwb([...SMALL, '--variant', file(), ...out]);
    expect(code).toBe(104);
    expect(stderr).toMatch(message);
  });

  test('code that only its hash names is refused', async () => {
    const { code, stderr } = await kwb([...SMALL, '--set', 'kernel.brought="0123456789abcdef"', ...out]);
    expect(code).toBe(104);
    expect(stderr).toContain('spec.kernel.brought: expected a variant whose code was given to this process');
  });
});
