/** A number of things in words: `1 thread`, `50,000 threads`. */
export const counted = (n: number, thing: string): string => `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;
