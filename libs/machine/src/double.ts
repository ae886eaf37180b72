/**
 * The number 0 as V8 keeps numbers with fractions. A field that has held only integers below 2^31 is another kind of field to
 * it: the first larger value, which time reaches after two seconds, changes the shape of every object of the class, throws
 * away all code compiled for the former shape, and leaves code that is slower. What begins with this zero is a double
 * from the start. (The parser would fold `0 / 2` into an integer.)
 */
export const ZERO = Number.MIN_VALUE / 2;
