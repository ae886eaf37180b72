// Figures that were measured or derived elsewhere, and the conditions under which they hold.
import type { PublishedFigure } from '@kworkbench/mechanism';

export const published: readonly PublishedFigure[] = [];
