// The example of README.md, run as it stands there.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Machine, Mutex, Rcu, RcuBarrier, Work, Workqueues } from './index.js';

/** The first fenced block, without its import, as the body of a function that returns `log`. */
function exampleOf(readme: string): string {
  const [, code] = /```js\n([^]*?)```/.exec(readme)!;
  return `${code!.replace(/^import .*\n/, '')}\nreturn log;`;
}

describe('the example in the README', () => {
  it('runs, and prints what the README says', () => {
    const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
    const [, printed] = /```text\n([^]*?)```/.exec(readme)!;
    const parts = { Machine, Mutex, Rcu, RcuBarrier, Work, Workqueues };
    // oxlint-disable-next-line no-new-func -- the code is the README's, and it is this spec's purpose to run it
    const run = new Function('parts', `const { ${Object.keys(parts).join(', ')} } = parts;\n${exampleOf(readme)}`);
    expect((run(parts) as string[]).join('\n')).toBe(printed!.trimEnd());
  });
});
