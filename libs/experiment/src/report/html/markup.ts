// Text into HTML. Nothing reaches the page without having gone through `escape`.

/** Markup that is safe as it is. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = string | number | Markup | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
// Control characters are no characters of HTML.
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[&<>"'\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

export const escape = (text: string): string => text.replaceAll(UNSAFE, (found) => ENTITIES[found] ?? '?');

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return escape(String(part));
}

/** A template whose values are escaped, unless they are markup already. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < values.length ? render(values[i]) : '')).join(''));
}

/** A table with a head. Columns of numbers stand to the right. */
export function htmlTable(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | Markup)[])[],
): Markup {
  const numeric = head.map((_, column) => isNumeric(rows.map((row) => row[column] ?? '')));
  const cell = (tag: string, content: string | Markup, column: number) => {
    const open = new Markup(`<${tag}${numeric[column] ? ' class="number"' : ''}>`);
    return markup`${open}${content}${new Markup(`</${tag}>`)}`;
  };
  const line = (tag: string, cells: readonly (string | Markup)[]) =>
    markup`<tr>${cells.map((content, i) => cell(tag, content, i))}</tr>\n`;
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption class="hidden">${caption}</caption>
<thead>${line('th', head)}</thead>
<tbody>${rows.map((row) => line('td', row))}</tbody></table></div>`;
}

/** Whether everything that is there begins as a number does. */
function isNumeric(cells: readonly (string | Markup)[]): boolean {
  const texts = cells
    .map((cell) => (typeof cell === 'string' ? cell : cell.text.replaceAll(/<[^>]*>/g, '')))
    .filter((text) => text !== '');
  return (
    texts.length > 0 && texts.every((text) => /^[-+±]?(&lt;|<)?\d[\d.,]*( |$|e|%)/.test(text) && !/[a-z]{4}/.test(text))
  );
}
