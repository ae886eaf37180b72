import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadConfig, readConfig, withoutPassword } from './env.js';
import { serviceConfigSchema } from './mechanism-service.js';

const linesOf = (environment: Record<string, string>) => {
  try {
    readConfig(serviceConfigSchema, environment);
    return [];
  } catch (error) {
    return (error as BadConfig).lines;
  }
};

describe('configuration from the environment', () => {
  it('has a default for everything, and takes an empty variable for none', () => {
    expect(readConfig(serviceConfigSchema, { KWB_HTTP_PORT: '', KWB_REDIS_URL: '' })).toMatchObject({
      KWB_REDIS_URL: 'redis://127.0.0.1:6379',
      KWB_COORDINATOR_GRPC: '127.0.0.1:50051',
      KWB_HTTP_PORT: 8081,
      KWB_GRPC_PORT: 50052,
      KWB_BIND: '127.0.0.1',
      KWB_LOG_LEVEL: 'info',
    });
  });

  it.each([
    ['KWB_HTTP_PORT', 'forty', 'KWB_HTTP_PORT: expected an integer from 0 to 65535, got "forty"'],
    ['KWB_GRPC_PORT', '65536', 'KWB_GRPC_PORT: expected an integer from 0 to 65535, got "65536"'],
    ['KWB_WORKERS', '0', 'KWB_WORKERS: expected an integer from 1 to 1024, got "0"'],
    ['KWB_WORKERS', '1.5', 'KWB_WORKERS: expected an integer from 1 to 1024, got "1.5"'],
    ['KWB_REDIS_URL', 'localhost', 'KWB_REDIS_URL: expected a URL such as redis://127.0.0.1:6379, got "localhost"'],
    [
      'KWB_REDIS_URL',
      'http://me:secret@host',
      'KWB_REDIS_URL: expected a URL such as redis://127.0.0.1:6379, got "http://me:***@host"',
    ],
    ['KWB_COORDINATOR_GRPC', 'http://x:1', 'KWB_COORDINATOR_GRPC: expected host:port, got "http://x:1"'],
    ['KWB_LOG_LEVEL', 'loud', 'KWB_LOG_LEVEL: expected one of fatal, error, warn, info, debug, silent, got "loud"'],
  ])('refuses %s=%s in one line', (name, value, line) => {
    expect(linesOf({ [name]: value })).toEqual([line]);
  });

  it('says one line per bad value, all at once', () => {
    expect(linesOf({ KWB_HTTP_PORT: 'x', KWB_GRPC_PORT: 'y', KWB_WORKERS: '2' })).toHaveLength(2);
  });

  it('never shows a password', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{8,20}$/), (password) => {
        expect(withoutPassword(`redis://user:${password}@host:1/0`)).toBe('redis://user:***@host:1/0');
        expect(withoutPassword(`redis://:${password}@host:1/0`)).toBe('redis://:***@host:1/0');
      }),
    );
  });
});
