// vm.min_free_kbytes and the watermarks that follow from it (mm/page_alloc.c: __setup_per_zone_wmarks()).
export interface Watermarks {
  readonly minBytes: number;
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** khugepaged's set_recommended_min_free_kbytes(): two page blocks a zone, and nine more against fragmentation. */
const recommendedKib = (zones: number): number => (512 * zones * (2 + 9) * 4096) / 1024;

/** calculate_min_free_kbytes(); with transparent huge pages at least what they recommend, within 5 % of the memory. */
export function minFreeKib(totalBytes: number, hugePages = true, zones = 3): number {
  const totalKib = totalBytes / 1024;
  const kib = Math.min(262_144, Math.max(128, Math.floor(Math.sqrt(totalKib * 16))));
  return hugePages ? Math.max(kib, Math.floor(Math.min(recommendedKib(zones), totalKib / 20))) : kib;
}

/**
 * @param managedBytes what the node has; its share of the machine's minimum is `minBytes`.
 * @param scaleFactor vm.watermark_scale_factor, in 1/10,000: 10.
 */
export function watermarks(managedBytes: number, minBytes: number, scaleFactor = 10): Watermarks {
  const stepBytes = Math.max(Math.floor(minBytes / 4), Math.floor((managedBytes * scaleFactor) / 10_000));
  return { minBytes, lowBytes: minBytes + stepBytes, highBytes: minBytes + 2 * stepBytes };
}
