// How many objects a slab holds and of how many pages it is: calculate_order() of mm/slub.c.
import { invariant } from '../invariant.js';

export const PAGE_BYTES = 4096;
/** slub_max_order: PAGE_ALLOC_COSTLY_ORDER. */
const MAX_ORDER = 3;
const MAX_OBJECTS_PER_SLAB = 32767;

export interface SlabLayout {
  readonly objectsPerSlab: number;
  readonly slabBytes: number;
}

const fls = (n: number): number => 32 - Math.clz32(n);
const slabBytesOf = (order: number): number => PAGE_BYTES * 2 ** order;

/** get_order(): the smallest order whose pages hold so many bytes. */
function orderOf(bytes: number): number {
  let order = 0;
  while (slabBytesOf(order) < bytes) order++;
  return order;
}

/** calc_slab_order(): the smallest order that holds enough objects and wastes less than 1 / fraction. */
function slabOrder(objectBytes: number, minObjects: number, fraction: number): number {
  if (Math.floor(PAGE_BYTES / objectBytes) > MAX_OBJECTS_PER_SLAB) return 0;
  let order = orderOf(minObjects * objectBytes);
  for (; order <= MAX_ORDER; order++) {
    const bytes = slabBytesOf(order);
    if (bytes % objectBytes <= Math.floor(bytes / fraction)) break;
  }
  return order;
}

/**
 * The layout of a cache on a machine of `cpus`: more CPUs want more objects in a slab.
 * @param objectBytes size with alignment and metadata, as in /proc/slabinfo.
 */
export function slabLayout(objectBytes: number, cpus: number): SlabLayout {
  invariant(objectBytes >= 1, 'slab: an object has at least a byte');
  const most = Math.floor(slabBytesOf(MAX_ORDER) / objectBytes);
  for (let minObjects = Math.min(4 * (fls(cpus) + 1), most); minObjects > 1; minObjects--) {
    for (let fraction = 16; fraction >= 4; fraction /= 2) {
      const order = slabOrder(objectBytes, minObjects, fraction);
      if (order <= MAX_ORDER) return layoutOf(objectBytes, order);
    }
  }
  return layoutOf(objectBytes, orderOf(objectBytes));
}

const layoutOf = (objectBytes: number, order: number): SlabLayout => ({
  objectsPerSlab: Math.floor(slabBytesOf(order) / objectBytes),
  slabBytes: slabBytesOf(order),
});
