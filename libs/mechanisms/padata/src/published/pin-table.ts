// The form of patch 8's tables: speedups of the largest pin against one thread of the kernel without the series.
export const THREADS = [8, 16, 24, 32] as const;

export interface PinTable {
  readonly profile: 'xeon-8167m' | 'epyc-7j13';
  readonly pages: 'hugetlb' | 'thp';
  readonly prefaulted: boolean;
  readonly guestGib: 16 | 128;
  readonly pinSeconds: number;
  /** QEMU's start with one thread, and how much faster it is with 16 and 64k pages of cache. */
  readonly initSeconds: number;
  readonly initSpeedup: number;
  /** By pages of cache, one for each of {@link THREADS}. */
  readonly speedups: Readonly<Record<number, readonly number[]>>;
}
