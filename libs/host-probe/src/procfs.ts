// Parsers for the few procfs files that the doctor reads. Pure functions over the text of a file.

/** Bytes per key of `/proc/meminfo`, e.g. `MemTotal`, `MemAvailable`. Lines without `kB` (huge page counts) are left out. */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([^:]+):\s+(\d+) kB$/.exec(line);
    if (match) values.set(match[1]!, Number(match[2]) * 1024);
  }
  return values;
}

/** Number of CPUs in a kernel CPU list such as `0-3,8,10-11`. */
export function countCpuList(list: string): number {
  let count = 0;
  for (const range of list.trim().split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range);
    if (!match) continue;
    count += match[2] === undefined ? 1 : Number(match[2]) - Number(match[1]) + 1;
  }
  return count;
}

/** Value of one `Key:<tab>value` line of `/proc/<pid>/status`. */
export function statusField(text: string, key: string): string | undefined {
  return new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim();
}

/** Bit numbers of include/uapi/linux/capability.h, for the capabilities that live probes ask for. */
export const CAPABILITY_BITS = {
  CAP_NET_ADMIN: 12,
  CAP_IPC_LOCK: 14,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_NICE: 23,
} as const;

export type CapabilityName = keyof typeof CAPABILITY_BITS;

/** Whether a `CapEff` mask (16 hex digits) holds the capability. */
export function hasCapability(maskHex: string, name: CapabilityName): boolean {
  return ((BigInt(`0x${maskHex}`) >> BigInt(CAPABILITY_BITS[name])) & 1n) === 1n;
}

/** CPUs granted by a cgroup v2 `cpu.max` (`max 100000`, `150000 100000`); undefined when there is no limit. */
export function parseCpuMax(text: string): number | undefined {
  const match = /^(\d+) (\d+)/.exec(text.trim());
  return match ? Number(match[1]) / Number(match[2]) : undefined;
}
