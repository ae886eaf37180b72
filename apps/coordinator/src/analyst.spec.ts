import { expect, it } from 'vitest';
import { heapThatFits } from './analyst.js';

it.each([
  ['a container of 512 MB', 512, 128],
  ['the container of docker-compose.yml', 768, 192],
  ['a larger one: reports need no more', 4_096, 256],
  ['a machine without a limit', undefined, 256],
])('the analysis may take a quarter of the memory of %s', (_, limitMb, heapMb) => {
  expect(heapThatFits(limitMb === undefined ? undefined : limitMb * 2 ** 20)).toBe(heapMb);
});
