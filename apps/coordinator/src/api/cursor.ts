// Cursors of pages: a place in a list, as text that clients hand back and never look into.
import { BadRequest } from './request.js';

export function toCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws BadRequest when it is not what {@link toCursor} made of a place of this form. */
export function fromCursor<Place extends readonly ('string' | 'number')[]>(
  cursor: string,
  ...form: Place
): { [Index in keyof Place]: Place[Index] extends 'string' ? string : number } {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    // Said below.
  }
  const fits =
    Array.isArray(place) &&
    place.length === form.length &&
    place.every((part, index) =>
      form[index] === 'string'
        ? typeof part === 'string' && !part.includes('\0')
        : Number.isSafeInteger(part) && part >= 0,
    );
  if (!fits) throw new BadRequest([{ detail: 'cursor: expected the nextCursor of a page', parameter: 'cursor' }]);
  return place as never;
}
