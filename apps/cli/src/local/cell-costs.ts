// What a cell costs in seconds of one worker, learned from the cells that have finished. A group (variant and point)
// that has a finished cell costs their mean. One that has none is extrapolated from the nearest finished point of its
// variant: a power law per swept number, its exponent from the two finished points that differ in that number alone.
// Before there are two a point costs what the nearest one does, and never is the exponent above 1 (twice the CPUs, twice
// the work): what is extrapolated is blind to what only happens at larger points, and is to be a lower bound (`known`
// is false).
import { durationSeconds, sizeBytes, type PlannedCell } from '@kworkbench/experiment';

export interface Cost {
  readonly seconds: number;
  /** Whether a cell of this variant and point has finished. */
  readonly known: boolean;
}

type Point = PlannedCell['point'];

interface Group {
  readonly point: Point;
  /** Natural logarithms of the swept numbers. */
  readonly logs: ReadonlyMap<string, number>;
  done: number;
  seconds: number;
}

/** A cost that falls along an axis is not believed beyond the finished points, nor one that explodes. */
const LEAST_EXPONENT = 0;
const MOST_EXPONENT = 1;
/** Distance of a point that differs in something that is no number. */
const OTHER_WORD = 10;
/** Groups that an extrapolation looks at, the latest ones: it must cost nothing in a sweep of thousands of points. */
const MOST_CANDIDATES = 32;

export class CellCosts {
  readonly #groups = new Map<string, Group>();
  readonly #byVariant = new Map<string, Group[]>();

  learn(cell: PlannedCell, seconds: number): void {
    const key = groupKey(cell);
    let group = this.#groups.get(key);
    if (!group) {
      const { variant, point } = cell;
      this.#groups.set(key, (group = { point, logs: logsOf(point), done: 0, seconds: 0 }));
      this.#byVariant.set(variant, [...(this.#byVariant.get(variant) ?? []), group].slice(-MOST_CANDIDATES));
    }
    group.done += 1;
    group.seconds += seconds;
  }

  /** Undefined before the first finished cell. */
  of(cell: PlannedCell): Cost | undefined {
    const own = this.#groups.get(groupKey(cell));
    if (own) return { seconds: meanOf(own), known: true };
    const candidates = this.#byVariant.get(cell.variant) ?? [...this.#byVariant.values()].flat();
    const logs = logsOf(cell.point);
    const nearest = nearestTo(cell.point, logs, candidates);
    if (!nearest) return undefined;
    let seconds = meanOf(nearest);
    for (const [path, log] of logs) {
      const from = nearest.logs.get(path);
      if (from === undefined || from === log) continue;
      seconds *= Math.exp((log - from) * exponentOf(path, nearest, candidates));
    }
    return { seconds, known: false };
  }
}

export const groupKey = ({ variant, point }: PlannedCell): string => JSON.stringify([variant, point]);

const meanOf = ({ seconds, done }: Group): number => seconds / done;

const QUANTITIES = [sizeBytes(), durationSeconds()];

function logsOf(point: Point): Map<string, number> {
  const logs = new Map<string, number>();
  for (const [path, value] of Object.entries(point)) {
    const read = QUANTITIES.map((quantity) => quantity.safeParse(value)).find(({ success }) => success);
    const number = typeof value === 'number' ? value : Number(read?.data);
    if (number > 0) logs.set(path, Math.log(number));
  }
  return logs;
}

function nearestTo(point: Point, logs: ReadonlyMap<string, number>, groups: readonly Group[]): Group | undefined {
  const distance = (group: Group): number =>
    Object.entries(point).reduce((sum, [path, value]) => {
      if (group.point[path] === value) return sum;
      const [from, to] = [group.logs.get(path), logs.get(path)];
      return sum + (from === undefined || to === undefined ? OTHER_WORD : Math.abs(to - from));
    }, 0);
  return groups.reduce<Group | undefined>(
    (best, group) => (best === undefined || distance(group) < distance(best) ? group : best),
    undefined,
  );
}

/** The growth of the cost along one number: from the nearest point that differs in it alone to this one. */
function exponentOf(path: string, at: Group, groups: readonly Group[]): number {
  const here = at.logs.get(path)!;
  const distance = (group: Group): number => Math.abs((group.logs.get(path) ?? here) - here);
  const [nearest] = groups
    .filter((group) => distance(group) > 0)
    .filter(({ point }) => Object.entries(at.point).every(([each, value]) => each === path || point[each] === value))
    .toSorted((a, b) => distance(a) - distance(b));
  if (!nearest || meanOf(nearest) <= 0 || meanOf(at) <= 0) return LEAST_EXPONENT;
  const slope = Math.log(meanOf(at) / meanOf(nearest)) / (here - nearest.logs.get(path)!);
  return Math.min(MOST_EXPONENT, Math.max(LEAST_EXPONENT, slope));
}
