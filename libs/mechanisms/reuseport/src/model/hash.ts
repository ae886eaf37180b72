// The 32-bit hash of a connection, and how it picks a slot.
const TWO_32 = 2 ** 32;

/** reciprocal_scale(): maps a 32-bit hash to 0..n-1, monotone in the hash. Exact: the product stays below 2^48. */
export const reciprocalScale = (hash: number, n: number): number => Math.floor((hash * n) / TWO_32);

/** A bijection of 32-bit integers that spreads neighbours (lowbias32 of Chris Wellons). */
export function mix32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** The hash of the tuple of connection `number`: inet_ehashfn() with the secret of a network namespace. */
export const tupleHash = (secret: number, number: number): number => mix32(mix32(number) ^ secret);
