// The user threads: unshare(CLONE_NEWNET) in a loop, in bursts, holding on, or a process per cycle.
import {
  type Machine,
  type Memory,
  type Mutex,
  PARK,
  type RandomStream,
  type Task,
  type TaskBody,
} from '@kworkbench/machine';
import type { RandomOf } from '@kworkbench/mechanism';
import { durationHistogram } from '@kworkbench/telemetry';
import type { NetnsKernel } from '../kernel.js';
import type { NetnsWorkload } from '../workloads.js';
import type { NsCosts } from './costs.js';
import type { Namespaces } from './namespaces.js';
import type { NsMemory } from './ns-memory.js';

const NONE = -1;

export interface UnshareParts {
  readonly machine: Machine;
  readonly kernel: NetnsKernel;
  readonly workload: NetnsWorkload;
  readonly costs: NsCosts;
  readonly constants: Readonly<Record<string, number>>;
  readonly random: RandomOf;
  readonly memory: Memory;
  readonly nsMemory: NsMemory;
  readonly namespaces: Namespaces;
  readonly rtnl: Mutex;
  readonly loopEnded: () => void;
}

interface UserThread {
  readonly index: number;
  readonly cycles: number;
  readonly random: RandomStream;
  task: Task | undefined;
  killed: boolean;
  ended: boolean;
}

export class UnshareLoop {
  enospc = 0;
  enomem = 0;
  readonly latencyNs = durationHistogram('unshare_latency_seconds', 'Latency of unshare(CLONE_NEWNET)');
  private readonly threads: UserThread[];
  private running: number;
  /** Threads that hold all of theirs, waiting for the others (holdAndDrop). */
  private readonly holding: Task[] = [];
  private reached = 0;

  constructor(private readonly parts: UnshareParts) {
    const { workload } = parts;
    this.threads = Array.from({ length: workload.threads }, (_, index) => ({
      index,
      cycles:
        Math.floor(((index + 1) * workload.cycles) / workload.threads) -
        Math.floor((index * workload.cycles) / workload.threads),
      random: parts.random(`thread ${index}`),
      task: undefined,
      killed: false,
      ended: false,
    }));
    this.running = this.threads.length;
  }

  start(): void {
    const { machine } = this.parts;
    for (const thread of this.threads) {
      thread.task = machine.spawn(`unshare/${thread.index}`, () => this.thread(thread), {
        near: machine.cpus[thread.index % machine.cpus.length]!,
      });
    }
  }

  private *thread(thread: UserThread): TaskBody {
    const { workload } = this.parts;
    if (workload.kind === 'holdAndDrop') yield* this.holdAndDrop(thread);
    else yield* this.churn(thread);
    thread.ended = true;
    if (--this.running === 0) this.parts.loopEnded();
  }

  /** Each unshare drops the namespace before it; the last one goes with the thread. */
  private *churn(thread: UserThread): TaskBody {
    const { workload, constants, namespaces } = this.parts;
    const exec = workload.kind === 'exec';
    let held = NONE;
    for (let cycle = 0; cycle < thread.cycles && !thread.killed; cycle++) {
      yield this.untilDue(thread, cycle);
      if (exec) yield constants['forkExecNs']!;
      const id = yield* this.unshare(thread, exec ? NONE : held);
      if (id === NONE) break;
      held = id;
      if (exec) {
        yield constants['dropNs']!;
        namespaces.put(held);
        held = NONE;
      }
    }
    if (held !== NONE) namespaces.put(held);
  }

  private *holdAndDrop(thread: UserThread): TaskBody {
    const { constants, machine, namespaces } = this.parts;
    const held: number[] = [];
    for (let cycle = 0; cycle < thread.cycles && !thread.killed; cycle++) {
      yield this.untilDue(thread, cycle);
      const id = yield* this.unshare(thread, NONE);
      if (id === NONE) break;
      held.push(id);
    }
    // The last to get here lets all drop at once; a killed thread does not wait.
    this.reached++;
    if (this.reached === this.threads.length) for (const task of this.holding) machine.wake(task);
    else if (!thread.killed) {
      this.holding.push(machine.current);
      while (this.reached < this.threads.length && !thread.killed) yield PARK;
    }
    for (const id of held) {
      yield constants['dropNs']!;
      namespaces.put(id);
    }
  }

  /** Request to sleep until the cycle is due: open loop, so a late cycle starts at once. */
  private untilDue(thread: UserThread, cycle: number): number {
    const { workload, machine } = this.parts;
    let dueSeconds = 0;
    if (workload.rate > 0) dueSeconds = (cycle * workload.threads + thread.index) / workload.rate;
    if (workload.kind === 'bursts') {
      dueSeconds = Math.max(dueSeconds, Math.floor(cycle / workload.burst) * workload.interval);
    }
    return machine.sleep(Math.round(dueSeconds * 1e9) - machine.nowNs);
  }

  /**
   * unshare(CLONE_NEWNET): a new namespace instead of `held`, whose last reference goes. Tries again after ENOSPC and
   * ENOMEM, as a sandbox would; gives NONE when the thread was killed meanwhile.
   */
  private *unshare(thread: UserThread, held: number): Generator<number, number, void> {
    const { machine, kernel, workload, costs, constants, memory, nsMemory, namespaces, rtnl } = this.parts;
    const retryNs = Math.max(1, Math.round(workload.retryDelay * 1e9));
    for (;;) {
      if (thread.killed) return NONE;
      if (namespaces.atLimit) this.enospc++;
      else if (!memory.has(nsMemory.totalBytes)) this.enomem++;
      else break;
      yield machine.sleep(retryNs);
    }
    const startNs = machine.nowNs;
    // The namespace is charged when its creation begins, so that threads cannot pass the limit together.
    const id = namespaces.create();
    const costNs = thread.random.jitter(costs.createNs * memory.stallRatio, constants['createJitterRatio']!);
    if (kernel.rtnlWait) {
      const underRtnlNs = Math.round(costNs * constants['createRtnlRatio']!);
      yield costNs - underRtnlNs;
      yield* rtnl.lock();
      yield underRtnlNs;
      rtnl.unlock();
    } else {
      yield costNs;
    }
    if (held !== NONE) {
      yield constants['dropNs']!;
      namespaces.put(held);
    }
    this.latencyNs.record(machine.nowNs - startNs);
    return id;
  }

  /** The OOM killer: the newest thread goes; nobody else while a victim has not yet exited. */
  killNewest(): boolean {
    for (let i = this.threads.length - 1; i >= 0; i--) {
      const thread = this.threads[i]!;
      if (thread.ended) continue;
      if (thread.killed) return false;
      thread.killed = true;
      // A victim that waits for the others drops what it holds now.
      if (this.holding.includes(thread.task!)) this.parts.machine.wake(thread.task!);
      return true;
    }
    return false;
  }
}
