// The processes that configure: adding rules in one of four ways, replacing them, listing them, writing sysctls, taking a
// namespace away.
import { CpuMask, type RandomStream, type TaskBody, Timers, YIELD } from '@kworkbench/machine';
import type { IpvsWorkload } from '../workloads.js';
import { parseCpulist } from './cpulist.js';
import type { EstParts } from './est-parts.js';
import type { IpvsNetns } from './ipvs-netns.js';

const READER_PAUSE_MS = 1000;
/** Services of one netlink message of a dump. */
const DUMP_SERVICES = 50;

export class Admin {
  /** All rules have been added. */
  loaded = false;

  constructor(
    private readonly parts: EstParts,
    private readonly workload: IpvsWorkload,
    private readonly netns: readonly IpvsNetns[],
    private readonly random: RandomStream,
  ) {}

  start(): void {
    const { workload, parts } = this;
    const { machine } = parts;
    const near = machine.cpus[1 % machine.cpus.length]!;
    const user = (name: string, body: () => TaskBody): void => {
      machine.spawn(name, body, { near });
    };
    user('ipvsadm', () => this.add());
    for (let i = 0; i < workload.readers; i++) user(`reader/${i}`, () => this.read());
    this.sysctls().forEach(([seconds, write], i) => {
      if (seconds >= 0) user(`sysctl/${i}`, () => this.at(seconds, write));
    });
    if (workload.teardownAt >= 0) {
      const last = this.netns.filter(({ index }) => index < workload.netns).at(-1)!;
      user('cleanup_net', () => this.teardown(last));
    }
  }

  private *at(seconds: number, write: () => void): TaskBody {
    yield this.parts.machine.sleep(seconds * 1e9);
    write();
  }

  private *teardown(netns: IpvsNetns): TaskBody {
    yield this.parts.machine.sleep(this.workload.teardownAt * 1e9);
    yield* netns.teardown();
  }

  /** What is written when. */
  private sysctls(): readonly (readonly [number, () => void])[] {
    const { workload, netns } = this;
    const all = (write: (one: IpvsNetns) => void) => () => netns.filter(({ gone }) => !gone).forEach(write);
    return [
      [workload.estNiceAt, all(({ estimation }) => estimation.setNice(workload.estNice))],
      [workload.estCpulistAt, all(({ estimation }) => estimation.setCpulist(this.writtenList()))],
      [workload.estCpulistRestoreAt, all(({ estimation }) => estimation.setCpulist(this.mask(undefined)))],
      [workload.runEstimationOffAt, all(({ estimation }) => estimation.setRunEstimation(false))],
      [workload.runEstimationOnAt, all(({ estimation }) => estimation.setRunEstimation(true))],
      [workload.governorSwitchAt, () => this.parts.costs.switchGovernor()],
    ];
  }

  /** The kernel takes the CPUs that the writer may run on, out of those that were written. */
  private writtenList(): CpuMask {
    const { estCpulist, estCpulistWriter } = this.workload;
    const written = this.mask(estCpulist);
    if (estCpulistWriter === '') return written;
    const writer = this.mask(estCpulistWriter);
    for (const cpu of written) if (!writer.has(cpu)) written.remove(cpu);
    return written;
  }

  private mask(list: string | undefined): CpuMask {
    const { length } = this.parts.machine.cpus;
    return new CpuMask(length, list === undefined ? Array.from({ length }, (_, cpu) => cpu) : parseCpulist(list));
  }

  private *add(): TaskBody {
    const { netns, workload } = this;
    for (const one of netns) yield* one.init();
    for (const one of netns) {
      if (one.index >= workload.netns) break;
      for (let service = 0; service < workload.services; service++) {
        const rates = Array.from({ length: workload.destinations }, () => one.drawRate());
        const own = workload.destinations === 0;
        yield* this.addOne(one, own ? one.drawRate() : rates.reduce((sum, rate) => sum + rate, 0), true);
        for (const rate of rates) yield* this.addOne(one, rate, false);
      }
    }
    this.loaded = true;
    if (workload.churnRate > 0) yield* this.churn();
  }

  private *addOne(netns: IpvsNetns, packetsPerSecond: number, counted: boolean): TaskBody {
    const { machine, configMutex, costs, observer } = this.parts;
    const { add, addInterval } = this.workload;
    if (netns.gone) return;
    const present = add === 'present';
    if (add === 'paced') yield machine.sleep(addInterval * 1e9);
    if (add === 'processes') yield costs.of('ipvsadmNs');
    const startNs = machine.nowNs;
    yield* this.lockConfig();
    if (!present) yield costs.netlinkNs;
    yield* netns.addRule(packetsPerSecond, counted);
    configMutex.unlock();
    if (present) return;
    observer.addNs.record(machine.nowNs - startNs);
    // Return to user space, between two commands.
    yield YIELD;
  }

  /** Deletes one rule and adds another, evenly in time. */
  private *churn(): TaskBody {
    const { machine, configMutex, costs } = this.parts;
    const { churnRate, churnPattern } = this.workload;
    const candidates = this.netns.filter(({ rules }) => rules.length > 0);
    if (candidates.length === 0) return;
    for (;;) {
      yield machine.sleep(1e9 / churnRate);
      const netns = candidates[this.random.below(candidates.length)]!;
      const { rules } = netns;
      if (netns.gone || rules.length === 0) continue;
      const span = churnPattern === 'front' ? Math.max(1, Math.floor(rules.length / 10)) : rules.length;
      yield* this.lockConfig();
      yield costs.netlinkNs;
      yield* netns.deleteRule(this.random.below(Math.min(span, rules.length)));
      configMutex.unlock();
      yield* this.addOne(netns, netns.drawRate(), this.workload.destinations === 0);
    }
  }

  private *lockConfig(): TaskBody {
    const { machine, configMutex, observer } = this.parts;
    const startNs = machine.nowNs;
    yield* configMutex.lock();
    observer.mutexNs.record(machine.nowNs - startNs);
  }

  /** ipvsadm -L: message by message, each under the config mutex. */
  private *read(): TaskBody {
    const { machine, configMutex, costs } = this.parts;
    const timers = Timers.of(machine);
    for (;;) {
      yield* timers.msleep(READER_PAUSE_MS);
      for (const { rules } of this.netns) {
        for (let listed = 0; listed < rules.length; listed += DUMP_SERVICES) {
          yield* this.lockConfig();
          yield costs.of('dumpNs');
          configMutex.unlock();
          yield YIELD;
        }
      }
    }
  }
}
