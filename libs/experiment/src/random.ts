// Seeds and the small generator that statistics use. Nothing here depends on the host.

/** 2^32 divided by the golden ratio, odd: multiples of it do not meet again before 2^32 steps. */
const WEYL_STEP = 0x9e3779b9;

/**
 * The seed of one replication, from the scenario's seed and the replication alone: variants and sweep points share it
 * (common random numbers). Replication 0 has the scenario's seed; no two replications of a scenario share one.
 * @returns unsigned 32 bit.
 */
export function replicationSeed(scenarioSeed: number, replication: number): number {
  return (scenarioSeed + Math.imul(replication, WEYL_STEP)) >>> 0;
}

/** Uniform numbers from 0 (included) to 1 (excluded); mulberry32, enough for resampling. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
