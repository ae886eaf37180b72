// A binary heap of keys in one Float64Array: entry i is the pair [time, order] at 2i. Orders differ, so no two keys are
// equal and the order of the heap is total. Functions take places, not keys: a number that is passed on would be boxed.

/** From this many entries on the heap is out of the nearest caches, and a guess that fetches memory early is worth it. */
const GUESS_FROM = 4096;

/** Moves the entry at `at`, which came in last and may be too far down, to its place. */
export function siftUp(keys: Float64Array, at: number): void {
  const time = keys[2 * at]!;
  const order = keys[2 * at + 1]!;
  let place = at;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    // What comes in is the youngest: a parent of the same time stays above.
    if (keys[2 * parent]! <= time) break;
    keys[2 * place] = keys[2 * parent]!;
    keys[2 * place + 1] = keys[2 * parent + 1]!;
    place = parent;
  }
  keys[2 * place] = time;
  keys[2 * place + 1] = order;
}

/** Moves the entry at the root of a heap of `size`, which may be too far up, to its place. Writes one entry behind it. */
export function siftDown(keys: Float64Array, size: number): void {
  // So that a left child has a right one.
  keys[2 * size] = Infinity;
  if (size < GUESS_FROM) siftDownByArithmetic(keys, 2 * size);
  else siftDownByGuess(keys, 0, 2 * size);
}

/** Makes a heap of `size` entries in any order. Writes one entry behind it. */
export function heapify(keys: Float64Array, size: number): void {
  keys[2 * size] = Infinity;
  for (let place = (size >> 1) - 1; place >= 0; place--) siftDownByGuess(keys, 2 * place, 2 * size);
}

/** Which child is earlier cannot be guessed: arithmetic instead of a branch. */
function siftDownByArithmetic(keys: Float64Array, end: number): void {
  const time = keys[0]!;
  const order = keys[1]!;
  let at = 0;
  let child = 2;
  while (child < end) {
    const left = keys[child]!;
    const right = keys[child + 2]!;
    if (left !== right) child += 2 * Number(right < left);
    else if (keys[child + 3]! < keys[child + 1]!) child += 2;
    const childTime = keys[child]!;
    if (childTime >= time && (childTime > time || keys[child + 1]! > order)) break;
    keys[at] = childTime;
    keys[at + 1] = keys[child + 1]!;
    at = child;
    child = 2 * child + 2;
  }
  keys[at] = time;
  keys[at + 1] = order;
}

/** The processor guesses the branch, and fetches the next level from memory meanwhile. */
function siftDownByGuess(keys: Float64Array, from: number, end: number): void {
  const time = keys[from]!;
  const order = keys[from + 1]!;
  let at = from;
  let child = 2 * from + 2;
  while (child < end) {
    let childTime = keys[child]!;
    const right = keys[child + 2]!;
    if (right < childTime || (right === childTime && keys[child + 3]! < keys[child + 1]!)) {
      child += 2;
      childTime = right;
    }
    if (childTime >= time && (childTime > time || keys[child + 1]! > order)) break;
    keys[at] = childTime;
    keys[at + 1] = keys[child + 1]!;
    at = child;
    child = 2 * child + 2;
  }
  keys[at] = time;
  keys[at + 1] = order;
}
