// Lists of CPUs as cpulist_parse() of the kernel reads them: "0-3,8".

export interface CpuRange {
  readonly first: number;
  readonly last: number;
}

/** @param list of numbers and ranges, comma between them; the empty one has no range. */
export function cpuRanges(list: string): readonly CpuRange[] {
  if (list === '') return [];
  return list.split(',').map((part) => {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    return { first, last: last! };
  });
}

/** Every CPU of a list whose ranges are known to be of a machine: a range may be written that has billions. */
export const parseCpulist = (list: string): readonly number[] =>
  cpuRanges(list).flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
