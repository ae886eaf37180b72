// What a request brings, checked against its schema before anything is done with it.
import type { z } from 'zod';

export interface RequestProblem {
  readonly detail: string;
  /** Name of a query parameter, path parameter or header. */
  readonly parameter?: string;
}

/** The request itself is wrong: one line per problem that says where and what was expected. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';

  constructor(readonly problems: readonly RequestProblem[]) {
    super(problems.map(({ detail }) => detail).join('\n'));
  }

  static of(detail: string): BadRequest {
    return new BadRequest([{ detail }]);
  }
}

/** More than this coordinator takes in: the text, not what it says. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

const LONGEST_GOT = 60;

/** @throws BadRequest */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BadRequest(
    parsed.error.issues.flatMap((issue): RequestProblem[] => {
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({ detail: `${short(key)}: expected no such parameter`, parameter: key }));
      }
      const parameter = String(issue.path[0] ?? '');
      const expected = issue.code === 'invalid_value' ? `expected one of ${issue.values.join(', ')}` : issue.message;
      const got = (value as Record<string, unknown> | undefined)?.[parameter];
      return [{ detail: `${parameter}: ${expected}, got ${short(got)}`, parameter }];
    }),
  );
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= LONGEST_GOT ? text : `${text.slice(0, LONGEST_GOT)}...`;
}
