import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fileDescriptorSet } from './index.js';

const root = resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'kwb-contracts-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length), readFileSync(path, 'utf8')];
    }),
  );
}

describe('generated contracts', () => {
  it('are what the .proto files give', () => {
    execFileSync(process.execPath, [join(root, 'scripts/generate.mjs'), scratch], { stdio: 'pipe' });
    expect(filesOf(scratch)).toEqual(filesOf(join(root, 'src/generated')));
  });

  it('come from .proto files without lint', () => {
    const bin = resolve(root, '../../node_modules/.bin/buf');
    expect(execFileSync(bin, ['lint'], { cwd: root, encoding: 'utf8', stdio: 'pipe' })).toBe('');
  });

  it('hold the descriptors of every service for reflection', () => {
    const text = fileDescriptorSet().toString('latin1');
    for (const service of ['Experiments', 'Mechanism', 'TelemetryIngest']) expect(text).toContain(service);
  });
});
