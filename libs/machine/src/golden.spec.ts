// Fixed programs, one for what each part of the machine does, and the digest of all that happened in them. Another digest
// means other results: whoever changes one on purpose raises the model versions of the mechanisms.
import { describe, expect, it } from 'vitest';
import { RandomStream } from './random.js';
import { testMachine } from './testing/build.js';
import { GROUP_COUNT, PARTS, type ProgramTask, runProgram, type Step } from './testing/program.js';
import { SwitchLog } from './testing/switch-log.js';

const CPUS = 4;
const MS = 1_000_000;

/** Programs out of the machine's own generator, so that no library's version can change them. */
class Author {
  private readonly random: RandomStream;

  constructor(part: string) {
    this.random = new RandomStream(2026, `golden ${part}`);
  }

  program(kinds: readonly Step['do'][]): ProgramTask[] {
    return Array.from({ length: 12 }, () => ({
      on: this.random.chance(0.3) ? this.random.below(CPUS) : undefined,
      group: kinds.includes('join') ? this.random.below(GROUP_COUNT) : undefined,
      steps: Array.from({ length: 100 }, () => this.step(kinds)),
    }));
  }

  private step(kinds: readonly Step['do'][]): Step {
    const { random } = this;
    const kind = kinds[random.below(kinds.length)]!;
    const ns = 1 + random.below(5 * MS);
    const shortNs = 1 + random.below(100_000);
    const bytes = 1 + random.below(1 << 20);
    switch (kind) {
      case 'run':
      case 'user':
      case 'sleep':
      case 'reader':
      case 'timer':
        return { do: kind, ns };
      case 'yield':
      case 'ping':
      case 'fair':
        return { do: kind };
      case 'exit':
        // Of a hundred steps nearly none would be reached.
        return { do: 'yield' };
      case 'lock':
        return { do: kind, mutex: random.below(2), ns, asleep: random.chance(0.5) };
      case 'rwsem':
        return { do: kind, write: random.chance(0.3), ns, asleep: random.chance(0.5) };
      case 'spinlock':
        return { do: kind, bh: random.chance(0.5), ns: shortNs };
      case 'migrate':
        return { do: kind, cpu: random.below(CPUS) };
      case 'affinity':
        return { do: kind, cpus: 1 + random.below(2 ** CPUS - 1) };
      case 'fifo':
        return { do: kind, priority: 1 + random.below(99) };
      case 'renice':
        return { do: kind, nice: random.below(40) - 20 };
      case 'section':
        return { do: kind, kind: (['preempt', 'bh', 'irq'] as const)[random.below(3)]!, ns: shortNs };
      case 'fork':
        return { do: kind, steps: [this.step(['run']), this.step(kinds.filter((other) => other !== 'fork'))] };
      case 'join':
        return { do: kind, group: random.chance(0.7) ? random.below(GROUP_COUNT) : undefined };
      case 'quota':
        return { do: kind, group: random.below(GROUP_COUNT), quotaNs: MS + random.below(20 * MS) };
      case 'remote':
        return { do: kind, group: random.below(GROUP_COUNT), ns };
      case 'alloc':
        return { do: kind, bytes, ns: shortNs };
      case 'defer':
        return { do: kind, bytes };
      case 'work':
        return { do: kind, queue: random.below(3), ns: shortNs, bytes };
    }
  }
}

function digestOf(part: keyof typeof PARTS): string {
  const machine = testMachine(CPUS, { contextSwitchNs: 2_000, wakeupNs: 1_000, schedSliceNs: 2.1 * MS, seed: 42 });
  const log = new SwitchLog(machine);
  runProgram(machine, new Author(part).program(PARTS[part]), { stealProbability: 0.5 });
  expect(log.violations).toEqual([]);
  return `${log.switches} switches, ${log.digest.hex}`;
}

describe('a fixed program', () => {
  it.each([
    ['scheduler', '750 switches, 85a5dd8e8cef8956'],
    ['bandwidth', '826 switches, 7c2dfb0b55afc345'],
    ['locks', '1064 switches, 891534a337149f27'],
    ['rcu', '1045 switches, b69a915816886bc2'],
    ['workqueue', '1273 switches, e554b4104bd1e770'],
    ['timers', '1096 switches, a8c5ba97136cd9e1'],
  ] as const)('of the %s part runs as it did when it was pinned', (part, expected) => {
    expect(digestOf(part)).toBe(expected);
  });
});
