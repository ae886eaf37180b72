// JSON that gives back the numbers it was given. Plain JSON turns Infinity and NaN into null and -0 into 0, and a
// digest taken over what was read would then differ from the one taken over what was written.
const TAG = '$float';

export function toExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry !== 'number' || (Number.isFinite(entry) && !Object.is(entry, -0))) return entry;
    return { [TAG]: Object.is(entry, -0) ? '-0' : String(entry) };
  });
}

export function fromExactJson(text: string): unknown {
  return JSON.parse(text, (_key, entry: unknown) => {
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return entry;
    const tagged = (entry as Record<string, unknown>)[TAG];
    return typeof tagged === 'string' ? Number(tagged) : entry;
  });
}
