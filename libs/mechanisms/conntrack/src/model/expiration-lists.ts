// Doubly linked lists of connections, in two typed arrays: one list per kind of timeout, ordered by expiration as long as
// all its members have one timeout (ct->exp_lists before the series).
import { invariant } from '@kworkbench/machine';

const NULL = -1;

export interface Links {
  next: Int32Array;
  previous: Int32Array;
}

export class ExpirationLists {
  readonly first: Int32Array;
  readonly last: Int32Array;

  constructor(
    private readonly links: Links,
    readonly count: number,
  ) {
    this.first = new Int32Array(count).fill(NULL);
    this.last = new Int32Array(count).fill(NULL);
  }

  pushBack(list: number, node: number): void {
    const { next, previous } = this.links;
    const last = this.last[list]!;
    next[node] = NULL;
    previous[node] = last;
    if (last === NULL) this.first[list] = node;
    else next[last] = node;
    this.last[list] = node;
  }

  pushFront(list: number, node: number): void {
    const { next, previous } = this.links;
    const first = this.first[list]!;
    previous[node] = NULL;
    next[node] = first;
    if (first === NULL) this.last[list] = node;
    else previous[first] = node;
    this.first[list] = node;
  }

  remove(list: number, node: number): void {
    const { next, previous } = this.links;
    const before = previous[node]!;
    const after = next[node]!;
    if (before === NULL) {
      invariant(this.first[list] === node, 'expiration list: the node is on another');
      this.first[list] = after;
    } else next[before] = after;
    if (after === NULL) this.last[list] = before;
    else previous[after] = before;
  }
}
