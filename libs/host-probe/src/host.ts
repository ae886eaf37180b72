// What this host is. Reads procfs and cgroup files; nothing here writes or needs a privilege. A file that is not there
// (another kernel, a container that hides it) makes its value undefined, never an error.
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, freemem, release, totalmem, version } from 'node:os';
import { countCpuList, hasCapability, parseCpuMax, parseMeminfo, statusField, type CapabilityName } from './procfs.js';

export interface HostFacts {
  readonly nodeVersion: string;
  readonly architecture: string;
  readonly kernelRelease: string;
  readonly kernelVersion: string;
  /** CPUs that the kernel has online. */
  readonly cpusOnline: number;
  /** CPUs that this process may use: affinity and cgroup quota taken into account. */
  readonly cpusUsable: number;
  /** CPUs of the cgroup v2 quota, a fraction possibly; undefined without one. */
  readonly cpuQuota: number | undefined;
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  /** `memory.max` of the cgroup; undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
  readonly uid: number;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

export function hostFacts(): HostFacts {
  const memory = parseMeminfo(readText('/proc/meminfo') ?? '');
  const limit = Number.parseInt(readText('/sys/fs/cgroup/memory.max') ?? '', 10);
  return {
    nodeVersion: process.version,
    architecture: arch(),
    kernelRelease: release(),
    kernelVersion: version(),
    cpusOnline: countCpuList(readText('/sys/devices/system/cpu/online') ?? '') || availableParallelism(),
    cpusUsable: availableParallelism(),
    cpuQuota: parseCpuMax(readText('/sys/fs/cgroup/cpu.max') ?? ''),
    memoryTotalBytes: memory.get('MemTotal') ?? totalmem(),
    memoryAvailableBytes: memory.get('MemAvailable') ?? freemem(),
    memoryLimitBytes: Number.isFinite(limit) ? limit : undefined,
    uid: process.getuid?.() ?? -1,
  };
}

/** Whether this process holds the capability in its effective set; undefined where procfs does not say. */
export function effectiveCapability(name: CapabilityName): boolean | undefined {
  const mask = statusField(readText('/proc/self/status') ?? '', 'CapEff');
  return mask === undefined ? undefined : hasCapability(mask, name);
}

/** Distribution name of /etc/os-release, e.g. `debian`; undefined where there is none. */
export function distribution(): string | undefined {
  return /^ID="?([^"\n]+)"?$/m.exec(readText('/etc/os-release') ?? '')?.[1];
}
