import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kwb, run, runOrThrow } from './kwb.js';
import { parseReport } from './report.js';
import { ROOT } from './root.js';

/** What the launcher may add to a start when nothing has to be installed or built, and all that Node itself takes. */
const SECOND_START_SECONDS = 2;

describe('a fresh clone', () => {
  let home: string;
  let clone: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kwb-clone-'));
    clone = join(home, 'kworkbench');
    // What is committed, as everybody else gets it.
    await runOrThrow('git', ['clone', '--quiet', '--no-local', ROOT, clone]);
  });

  afterAll(async () => {
    await rm(home, { recursive: true, force: true });
  });

  it('installs, builds and runs the storm with one command, and prints nothing but the report on stdout', async () => {
    const first = await kwb(['run', 'netns-unshare-storm', '--replications', '1', '--json', '-'], { root: clone });
    const report = parseReport(first.stdout);
    expect(report).toMatchObject({ apiVersion: 'kworkbench/v1', scenario: 'netns-unshare-storm' });
    expect(new Set(report.cells.map(({ variant }) => variant))).toEqual(new Set(['before', 'v4']));
    expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
    expect(report.verdict).toBe('pass');
  });

  it('starts at once the second time', async () => {
    const second = await kwb(['--version'], { root: clone });
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.seconds).toBeLessThan(SECOND_START_SECONDS);
  });

  it('stays as it was cloned: whatever is made is ignored by git', async () => {
    const status = await run('git', ['status', '--porcelain'], { cwd: clone });
    expect(status).toMatchObject({ code: 0, stdout: '' });
  });
});
