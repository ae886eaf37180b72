// Text tables and terminal colours.
import { styleText, stripVTControlCharacters } from 'node:util';

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  red(text: string): string;
}

export function style(color: boolean): Style {
  const paint = (format: 'bold' | 'dim' | 'green' | 'red') => (text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  return { bold: paint('bold'), dim: paint('dim'), green: paint('green'), red: paint('red') };
}

const GAP = '   ';
const visible = (text: string) => stripVTControlCharacters(text).length;

const widthsOf = (rows: readonly (readonly string[])[]) =>
  rows[0]!.map((_, column) => Math.max(...rows.map((row) => visible(row[column] ?? ''))));

/** How many columns a table of this width has room for, two at least. */
export function fittingColumns(rows: readonly (readonly string[])[], width: number): number {
  const widths = widthsOf(rows);
  let columns = widths.length;
  const total = () => widths.slice(0, columns).reduce((sum, each) => sum + each + GAP.length, -GAP.length);
  while (columns > 2 && total() > width) columns--;
  return columns;
}

/**
 * Left-aligned columns under a dim head. Columns that do not fit into `width` are left out, the last ones first; what
 * is left out is in the report.
 */
export function table(rows: readonly (readonly string[])[], paint: Style, width = Infinity): string {
  const widths = widthsOf(rows);
  const columns = fittingColumns(rows, width);
  return rows
    .map((row, index) => {
      const line = row
        .slice(0, columns)
        .map((cell, column) => cell + ' '.repeat(widths[column]! - visible(cell)))
        .join(GAP)
        .trimEnd();
      return index === 0 ? paint.dim(line) : line;
    })
    .join('\n');
}
