import type { PublishedFigure } from '@kworkbench/mechanism';

export const published: readonly PublishedFigure[] = [];
