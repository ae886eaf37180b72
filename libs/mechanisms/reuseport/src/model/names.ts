// Listeners are called A, B, ..., Z, AA, AB, ... in the order of their listen().
export function listenerName(number: number): string {
  let name = '';
  for (let n = number; n >= 0; n = Math.floor(n / 26) - 1) name = String.fromCharCode(65 + (n % 26)) + name;
  return name;
}

/** The number of a listener by its name; undefined for what cannot be one. */
export function listenerNumber(name: string): number | undefined {
  if (!/^[A-Z]{1,4}$/.test(name)) return undefined;
  let number = 0;
  for (const letter of name) number = number * 26 + letter.charCodeAt(0) - 64;
  return number - 1;
}
