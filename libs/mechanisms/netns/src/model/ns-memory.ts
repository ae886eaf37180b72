// Where the memory of a namespace is, and at which stage of its teardown each part goes.
//
// A part (`deviceMemoryRatio`) goes right after the first barrier of the pass, with the devices; a part
// (`exitMemoryRatio`) as the callbacks run that the exit methods post; the rest when the pass ends, except the fqdirs,
// which wait for a barrier of their own, and struct net, which is freed by the next pass only.
import type { Cache, Memory } from '@kworkbench/machine';
import type { NsCosts } from './costs.js';

interface Parts {
  slab: number;
  percpu: number;
}

export class NsMemory {
  readonly totalBytes: number;
  readonly structNetBytes: number;
  readonly netNamespace: Cache;
  readonly sockInode: Cache;
  readonly fqdir: Cache;
  readonly percpu: Cache;
  readonly slabOther: Cache;
  private readonly device: Parts;
  private readonly exit: Parts;
  private readonly end: Parts;
  private readonly socks: number;
  private readonly sockInodeBytes: number;
  private readonly fqdirBytes: number;

  constructor(
    memory: Memory,
    constants: Readonly<Record<string, number>>,
    costs: NsCosts,
    cpus: number,
    private readonly fqdirs: number,
  ) {
    this.netNamespace = memory.cache('net_namespace');
    this.sockInode = memory.cache('sock_inode_cache');
    this.fqdir = memory.cache('fqdir');
    this.percpu = memory.cache('percpu');
    this.slabOther = memory.cache('slab_other');
    this.structNetBytes = constants['structNetBytes']!;
    this.fqdirBytes = constants['fqdirBytes']!;
    this.socks = costs.socks;
    this.sockInodeBytes = costs.socks * constants['sockInodeBytes']!;

    const percpuBytes = Math.round(cpus * constants['nsPerCpuBytes']!);
    const slabBytes = Math.round(constants['nsBaseBytes']! + costs.ctlSocks * constants['ctlSockBytes']!);
    this.totalBytes = slabBytes + percpuBytes;
    const share = (ratio: number): Parts => ({
      slab: Math.round(ratio * slabBytes),
      percpu: Math.round(ratio * percpuBytes),
    });
    this.device = share(constants['deviceMemoryRatio']!);
    this.exit = share(constants['exitMemoryRatio']!);
    // Socket inodes are part of what the exit methods release.
    this.exit.slab = Math.max(0, this.exit.slab - this.sockInodeBytes);
    const named = this.sockInodeBytes + this.structNetBytes + fqdirs * this.fqdirBytes;
    this.end = {
      slab: slabBytes - named - this.device.slab - this.exit.slab,
      percpu: percpuBytes - this.device.percpu - this.exit.percpu,
    };
  }

  /** False when the constants leave less than nothing for the last stage: the profile contradicts itself. */
  get consistent(): boolean {
    return this.end.slab >= 0 && this.end.percpu >= 0;
  }

  get slabBytes(): number {
    return this.netNamespace.bytes + this.sockInode.bytes + this.fqdir.bytes + this.slabOther.bytes;
  }

  /** All that namespaces hold. */
  get bytes(): number {
    return this.slabBytes + this.percpu.bytes;
  }

  /** Slab memory only grows by namespaces that are created, so its maximum is seen there. */
  slabMaxBytes = 0;

  alloc(): void {
    this.netNamespace.alloc(1, this.structNetBytes);
    this.sockInode.alloc(this.socks, this.sockInodeBytes);
    this.fqdir.alloc(this.fqdirs, this.fqdirs * this.fqdirBytes);
    this.percpu.alloc(1, this.device.percpu + this.exit.percpu + this.end.percpu);
    this.slabOther.alloc(1, this.device.slab + this.exit.slab + this.end.slab);
    if (this.slabBytes > this.slabMaxBytes) this.slabMaxBytes = this.slabBytes;
  }

  /** The devices of `count` namespaces are gone. */
  freeDevices(count: number): void {
    this.percpu.free(0, count * this.device.percpu);
    this.slabOther.free(0, count * this.device.slab);
  }

  /** The callbacks that the exit methods of `count` namespaces posted have run. */
  freeExited(count: number): void {
    this.sockInode.free(count * this.socks, count * this.sockInodeBytes);
    this.percpu.free(0, count * this.exit.percpu);
    this.slabOther.free(0, count * this.exit.slab);
  }

  /** The pass over `count` namespaces ends. */
  freeAtPassEnd(count: number): void {
    this.percpu.free(count, count * this.end.percpu);
    this.slabOther.free(count, count * this.end.slab);
  }

  freeFqdirs(count: number): void {
    this.fqdir.free(count, count * this.fqdirBytes);
  }

  freeStructNets(count: number): void {
    this.netNamespace.free(count, count * this.structNetBytes);
  }
}
