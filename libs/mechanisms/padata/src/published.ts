// Figures that were published, and the conditions under which they hold.
import type { PublishedFigure } from '@kworkbench/mechanism';
import { deferredInitFigures } from './published/deferred-init.js';
import { neighbourFigures } from './published/neighbours.js';
import { pinFigures } from './published/pin-figures.js';

export const published: readonly PublishedFigure[] = [...pinFigures, ...deferredInitFigures, ...neighbourFigures];
