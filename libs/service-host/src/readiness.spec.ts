import { describe, expect, it } from 'vitest';
import type { Logger } from './log.js';
import { Readiness } from './readiness.js';

function logOf() {
  const lines: string[] = [];
  const log = {
    info: (text: string) => lines.push(text),
    warn: (_fields: unknown, text: string) => lines.push(text),
  } as unknown as Logger;
  return { lines, log };
}

describe('readiness', () => {
  it('is the sum of its checks, says which one fails, and speaks once per change', async () => {
    const { lines, log } = logOf();
    let redis: string | undefined = 'Redis: away';
    const readiness = new Readiness({ redis: () => redis, database: async () => undefined }, log);
    const changes: boolean[] = [];
    readiness.onChange((ready) => changes.push(ready));
    expect(await readiness.ask()).toEqual({ ready: false, checks: { redis: 'Redis: away', database: 'ok' } });
    await readiness.ask();
    redis = undefined;
    expect((await readiness.ask()).ready).toBe(true);
    await readiness.ask();
    expect(lines).toEqual(['not ready', 'ready']);
    expect(changes).toEqual([false, true]);
  });

  it('is over for good once the process drains', async () => {
    const readiness = new Readiness({}, logOf().log);
    expect((await readiness.ask()).ready).toBe(true);
    readiness.drain();
    expect(await readiness.ask()).toEqual({ ready: false, checks: { draining: 'shutting down' } });
  });
});
