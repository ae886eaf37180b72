// What the user is told when a verb cannot go on: one line (or one per problem) on stderr, and the exit code.

export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly exitCode: number,
    message: string,
  ) {
    super(message);
  }
}
