/** A pause between half of `pauseMs` and all of it, so that replicas do not come back in the same millisecond. */
export const withJitter = (pauseMs: number): number => Math.round(pauseMs * (0.5 + Math.random() / 2));
