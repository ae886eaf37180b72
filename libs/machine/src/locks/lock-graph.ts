// A directed graph of lock classes in the order in which they were taken: an edge a -> b says that b was taken while a
// was held. A cycle is an order that can hang, whether or not it ever did (kernel/locking/lockdep.c).
//
// Only an edge that is new is searched for a cycle, so an order that was seen before costs one lookup.

/** Nodes are 0 .. 2^26 - 1, so that a pair of them is an exact integer. */
const NODES_MAX = 2 ** 26;

export class LockGraph {
  private readonly edges = new Set<number>();
  private readonly successors: number[][] = [];

  get edgeCount(): number {
    return this.edges.size;
  }

  has(from: number, to: number): boolean {
    return this.edges.has(from * NODES_MAX + to);
  }

  /**
   * Adds the edge.
   * @returns undefined when it was there or closes no cycle; otherwise the shortest cycle that it closes, as the nodes
   * `to`, ..., `from` (check_noncircular(), breadth first).
   */
  add(from: number, to: number): number[] | undefined {
    const key = from * NODES_MAX + to;
    if (this.edges.has(key)) return undefined;
    const path = this.path(to, from);
    this.edges.add(key);
    (this.successors[from] ??= []).push(to);
    return path;
  }

  private path(start: number, goal: number): number[] | undefined {
    if (start === goal) return [start];
    const cameFrom = new Map<number, number>([[start, -1]]);
    const queue = [start];
    for (let node = queue[0]!, i = 0; i < queue.length; node = queue[++i]!) {
      for (const next of this.successors[node] ?? []) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, node);
        if (next === goal) return this.trace(cameFrom, goal);
        queue.push(next);
      }
    }
    return undefined;
  }

  private trace(cameFrom: ReadonlyMap<number, number>, goal: number): number[] {
    const path: number[] = [];
    for (let node = goal; node !== -1; node = cameFrom.get(node)!) path.push(node);
    return path.reverse();
  }
}
