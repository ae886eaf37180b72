// How deep a document nests. Asked of the text before it is read: the parser recurses, and it writes out a key that is a
// collection once per level above it (250 times "? " takes 4 s, 500 a minute). Asked of the document again after it was
// read: aliases can make it deeper than its text, and make a part contain itself.
import { LineCounter, Parser, type CST } from 'yaml';
import { MAX_NESTING } from '../limits.js';

/** Where a YAML text goes deeper than {@link MAX_NESTING}, from 1; undefined when it does not. Linear in the text. */
export function tooDeepAt(text: string): { readonly line: number; readonly col: number } | undefined {
  const lines = new LineCounter();
  const open: { token: CST.Token | null | undefined; depth: number }[] = [];
  for (const document of new Parser(lines.addNewLine).parse(text)) {
    if (document.type === 'document') open.push({ token: document.value, depth: 1 });
  }
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    if (!token || !('items' in token)) continue;
    if (depth > MAX_NESTING) return lines.linePos(token.offset);
    for (const { key, value } of token.items) {
      open.push({ token: key, depth: depth + 1 }, { token: value, depth: depth + 1 });
    }
  }
  return undefined;
}

/** Levels of a document, at least up to the limit; infinite when a part contains itself. */
export function levelsOf(document: unknown): number {
  const above = new Set<object>();
  // A part that many aliases name is looked at once.
  const known = new Map<object, number>();
  const look = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0;
    if (above.has(value)) return Infinity;
    if (above.size > MAX_NESTING) return 1;
    let levels = known.get(value);
    if (levels !== undefined) return levels;
    above.add(value);
    levels = 1 + Object.values(value).reduce<number>((most, part) => Math.max(most, look(part)), 0);
    above.delete(value);
    known.set(value, levels);
    return levels;
  };
  return look(document);
}
