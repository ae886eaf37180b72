// Build before running this file alone: the thread runs what is compiled.
import { afterAll, describe, expect, it } from 'vitest';
import { MAX_SCENARIOS_WAITING } from './limits.js';
import { TooManyScenarios, YamlGuard } from './yaml-guard.js';

const guard = new YamlGuard();
afterAll(() => guard.close());

const aliases = (levels: number) =>
  ['l0: &l0 [1,1,1,1,1,1,1,1,1]']
    .concat(Array.from({ length: levels }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`))
    .join('\n');

describe('the guard of the YAML parser', () => {
  it.each([
    ['a mapping', 'a: { b: [1, 2] }'],
    ['what is no YAML, whose errors are worded later', 'a: [1, "'],
    ['an alias without an anchor', 'a: *b'],
    ['aliases that the parser refuses by itself', aliases(9)],
    ['nothing', ''],
  ])('lets pass %s', (_what, text) => expect(guard.check(text)).resolves.toBeUndefined());

  it.each([
    ['keys inside of keys', '? '.repeat(2_000), 'expected a text that can be read within a second'],
    ['what contains itself', 'a: &a [*a]', 'expected no part that contains itself'],
    ['what is short and says much', `a: &a "${'x'.repeat(60_000)}"\nb: [${'*a,'.repeat(50)}]`, 'characters as JSON'],
  ])('refuses %s', (_what, text, reason) => expect(guard.check(text)).rejects.toThrow(reason));

  it('goes on after a text that had to be stopped', async () => {
    await expect(guard.check('? '.repeat(2_000))).rejects.toThrow('within a second');
    await expect(guard.check('a: 1')).resolves.toBeUndefined();
  });

  it('refuses more texts at once than it can look at soon', async () => {
    const all = await Promise.allSettled(Array.from({ length: MAX_SCENARIOS_WAITING + 3 }, () => guard.check('a: 1')));
    const refused = all.filter((one) => one.status === 'rejected' && one.reason instanceof TooManyScenarios);
    expect(refused).toHaveLength(3);
  });
});
