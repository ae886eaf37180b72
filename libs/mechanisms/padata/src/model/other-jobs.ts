// Jobs that do not pin: plain CPU work (padata_test), and the struct pages of a node at boot (deferred_init_memmap).
import { DONE, type HardwareRates, type Machine, MemoryPhase, type Task } from '@kworkbench/machine';
import { JobTraffic, type Stream } from './stream.js';
import { type ChunkWork, Errno, type ThreadFn } from './thread-fn.js';

/** cond_resched() comes at least so often. */
const PIECE_NS = 1_000_000;

/** So many units of `unitNs` each, a piece at a time. */
class PlainChunk implements ChunkWork {
  readonly error = Errno.None;
  private leftNs = 0;

  constructor(
    private readonly unitNs: number,
    private readonly stream?: Stream,
  ) {}

  begin(start: number, end: number): this {
    this.leftNs = (end - start) * this.unitNs;
    this.stream?.start();
    return this;
  }

  step(): number {
    if (this.leftNs <= 0) {
      this.stream?.stop();
      return DONE;
    }
    const ns = Math.min(this.leftNs, PIECE_NS);
    this.leftNs -= ns;
    return Math.max(1, Math.round(ns));
  }
}

/** In ns of CPU time. */
export const compute: ThreadFn = {
  worker: () => new PlainChunk(1),
};

/** In struct pages of one node: CPU time `pageNs`, `trafficBytes` to memory each. */
export class DeferredInit implements ThreadFn {
  private readonly traffic: JobTraffic;

  constructor(
    rates: HardwareRates,
    node: number,
    private readonly pageNs: number,
    trafficBytes: number,
    workerSpeed: number,
  ) {
    this.traffic = new JobTraffic(rates, node, trafficBytes / pageNs, workerSpeed);
  }

  worker(task: Task, _helper: boolean, workers: number): PlainChunk {
    return new PlainChunk(this.pageNs, this.traffic.of(task, workers));
  }
}

/** Streams memory without end (usemem). */
export function* memoryHog(machine: Machine, rates: HardwareRates, bytesPerNs: number): Generator<number, void, void> {
  rates.enter(machine.current, new MemoryPhase(0, bytesPerNs));
  for (;;) yield PIECE_NS;
}
