// Caches and clocks of the cell's machine. Two topologies: clusters of cores that share a cache say how far a line is, and
// the package whose clock all its busy cores share says how fast they go.
import { CacheLines, HardwareRates, type Machine, Topology } from '@kworkbench/machine';

type Constants = Readonly<Record<string, number>>;

export function threadsPerCore(cpus: number, constants: Constants): number {
  const threads = constants['threadsPerCore']!;
  return cpus % threads === 0 ? threads : 1;
}

function clusters(cpus: number, constants: Constants): number {
  const cores = cpus / threadsPerCore(cpus, constants);
  const perCluster = constants['coresPerCluster']!;
  return cores % perCluster === 0 ? cores / perCluster : 1;
}

export function cacheLines(machine: Machine, constants: Constants): CacheLines {
  const cpus = machine.cpus.length;
  const shape = { sockets: clusters(cpus, constants), threadsPerCore: threadsPerCore(cpus, constants) };
  return new CacheLines(machine, new Topology(cpus, shape), {
    nearNs: constants['lineNearNs']!,
    farNs: constants['lineFarNs']!,
    memoryNs: constants['lineMemoryNs']!,
  });
}

export function setRates(machine: Machine, constants: Constants): void {
  const cpus = machine.cpus.length;
  const threads = threadsPerCore(cpus, constants);
  new HardwareRates(machine, new Topology(cpus, { threadsPerCore: threads }), {
    smt: [1, constants['smtSpeedRatio']!],
    frequency: [
      { cores: 1, speed: 1 },
      { cores: 2, speed: constants['busyCores2SpeedRatio']! },
      { cores: 3, speed: constants['busyCores4SpeedRatio']! },
    ],
  });
}
