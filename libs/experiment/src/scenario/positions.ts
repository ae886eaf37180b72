// Where in the text a path of the document stands, so that what is wrong is found where it was written.
import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter } from 'yaml';

/** The line of a path, from 1; of a part that is missing, that of what it is missing from. */
export type LineOf = (path: readonly PropertyKey[]) => number | undefined;

export const linesOfDocument =
  (document: Document, lines: LineCounter): LineOf =>
  (path) => {
    let node: unknown = document.contents;
    let at: number | undefined;
    for (const key of path) {
      const whole = isAlias(node) ? node.resolve(document) : node;
      const found = partOf(whole, key);
      if (!found) break;
      at = found.start ?? at;
      node = found.value;
    }
    return at === undefined ? undefined : lines.linePos(at).line;
  };

function partOf(node: unknown, key: PropertyKey): { start: number | undefined; value: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === String(key));
    return pair && isScalar(pair.key) ? { start: pair.key.range?.[0], value: pair.value } : undefined;
  }
  const item = isSeq(node) ? (node.items as { range?: readonly number[] }[])[Number(key)] : undefined;
  return item && { start: item.range?.[0], value: item };
}
