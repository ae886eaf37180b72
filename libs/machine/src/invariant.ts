/** An invariant of the machine or of a mechanism that did not hold. Ends the cell; never caught by a model. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Asserts stay on: a wrong number is worth less than none. */
export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new InvariantViolation(what);
}
