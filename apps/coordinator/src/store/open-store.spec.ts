import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from './open-store.js';

describe('openStore', () => {
  it.each([
    ['', 'store URL: expected sqlite:///absolute/path.db or postgres://user:password@host:port/database, got ""'],
    ['/var/lib/store.db', 'expected sqlite:///absolute/path.db or postgres://'],
    ['mysql://u:secret@h/d', 'expected sqlite:///absolute/path.db or postgres://'],
    ['sqlite://relative/path.db', 'expected sqlite:///absolute/path.db, got "sqlite://relative/path.db"'],
    ['sqlite:///', 'expected sqlite:///absolute/path.db, got "sqlite:///"'],
    ['sqlite:///directory/', 'expected sqlite:///absolute/path.db, got "sqlite:///directory/"'],
    ['sqlite:///a.db?mode=ro', 'expected sqlite:///absolute/path.db, got "sqlite:///a.db?mode=ro"'],
    ['postgres://u:secret@h:5432', 'expected postgres://user:password@host:port/database, got "postgres://h:5432"'],
    ['postgres:///d', 'expected postgres://user:password@host:port/database, got "postgres:///d"'],
    ['postgres://u:secret@h:port/d', 'expected sqlite:///absolute/path.db or postgres://'],
  ])('refuses %j with one line that says what it expected and no password', (url, expected) => {
    let message = '';
    try {
      openStore(url);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(expected);
    expect(message).toMatch(/^store URL: .*$/);
    expect(message).not.toContain('secret');
  });

  it('opens nothing before it is asked to', async () => {
    const path = join(tmpdir(), `kworkbench-${process.pid}-never-made.db`);
    const store = openStore(`sqlite://${path}`);
    await store.close();
    expect(existsSync(path)).toBe(false);
  });
});
