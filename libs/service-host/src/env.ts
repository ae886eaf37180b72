// Configuration from the environment, checked once at boot: a process either knows all its settings or does not start.
import { availableParallelism } from 'node:os';
import { z } from 'zod';

/** Exit code for bad usage, the same as the command line's. */
export const EXIT_BAD_CONFIG = 104;

/** More workers than this is a typing error, not a machine. */
const MAX_WORKERS = 1024;

/** Passwords in URLs must not reach a log. */
export function withoutPassword(text: string): string {
  return text.replace(/(\/\/[^:@/]*):[^@/]*@/, '$1:***@');
}

function checked<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value === undefined) {
      context.issues.push({ code: 'custom', message: `expected ${expected}`, input: text });
      return z.NEVER;
    }
    return value;
  });
}

/** An integer written in decimal digits, within bounds. */
function integer(low: number, high: number) {
  return checked(`an integer from ${low} to ${high}`, (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= low && value <= high ? value : undefined;
  });
}

function url(expected: string, protocols: readonly string[]) {
  return checked(expected, (text) =>
    URL.canParse(text) && protocols.includes(new URL(text).protocol) ? text : undefined,
  );
}

/** Building blocks of a process's environment schema; ports may be 0 (any free port, told in the log). */
export const env = {
  port: (preset: number) => integer(0, 65_535).default(preset),
  redisUrl: () => url('a URL such as redis://127.0.0.1:6379', ['redis:', 'rediss:']).default('redis://127.0.0.1:6379'),
  grpcTarget: (preset: string) =>
    checked('host:port', (text) => (/^[^\s/]+:\d{1,5}$/.test(text) ? text : undefined)).default(preset),
  bind: () => z.string().min(1, 'expected an address to listen on').default('127.0.0.1'),
  workers: () => integer(1, MAX_WORKERS).default(availableParallelism()),
  logLevel: () => z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  integer,
  checked,
};

/** One line per bad value. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/**
 * Reads the variables that `schema` names; an empty variable counts as not set.
 * @throws BadConfig
 */
export function readConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: NodeJS.ProcessEnv,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(
    Object.keys(schema.shape)
      .map((name) => [name, environment[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new BadConfig(
    parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      const expected = issue.code === 'invalid_value' ? `expected one of ${issue.values.join(', ')}` : issue.message;
      return `${name}: ${expected}, got "${withoutPassword(String(given[name] ?? ''))}"`;
    }),
  );
}

/** {@link readConfig} for a process's `main`: says what is wrong on stderr and exits. */
export function readConfigOrExit<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) {
  try {
    return readConfig(schema, process.env);
  } catch (error) {
    if (!(error instanceof BadConfig)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_BAD_CONFIG);
  }
}
