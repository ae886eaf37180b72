// Rules, interpreted: the first whose condition holds decides, else the default.
import type { RandomStream } from '@kworkbench/machine';
import { mix32, reciprocalScale } from '../model/hash.js';
import type { Listener } from '../model/listener.js';
import { type Decision, DROP, type Program, type Question, stateName } from './program.js';
import type { Action, Condition, Pick, Rules, When } from './schema.js';

type Value = number | string | boolean | undefined;

/** What user space wrote into the map of a strict policy, the last time it looked. */
export class DepthMap {
  private readonly depths = new Map<Listener, number>();

  update(live: readonly Listener[]): void {
    this.depths.clear();
    for (const sk of live) this.depths.set(sk, sk.length);
  }

  /** 0 for one that user space has not seen yet. */
  of(sk: Listener): number {
    return this.depths.get(sk) ?? 0;
  }
}

const valueOf = (field: string, question: Question): Value => {
  const { connection, sk } = question;
  switch (field) {
    case 'point':
      return question.point;
    case 'migrating':
      return question.migrating;
    case 'state':
      return question.migrating ? stateName(connection.state) : undefined;
    case 'hash':
      return connection.hash;
    case 'len':
      return question.len;
    case 'sk.id':
      return sk.name;
    case 'sk.generation':
      return sk.generation;
    default:
      return question.migrating ? question.nowNs - connection.startNs : undefined;
  }
};

export function holds(condition: Condition, value: Value): boolean {
  if (typeof condition !== 'object') return value === condition;
  const { lt, le, gt, ge, ne } = condition;
  if (ne !== undefined && value === ne) return false;
  if (condition.in !== undefined && !condition.in.some((member) => member === value)) return false;
  if (lt === undefined && le === undefined && gt === undefined && ge === undefined) return true;
  if (typeof value !== 'number') return false;
  return (
    (lt === undefined || value < lt) &&
    (le === undefined || value <= le) &&
    (gt === undefined || value > gt) &&
    (ge === undefined || value >= ge)
  );
}

const matches = (when: When | undefined, question: Question): boolean =>
  when === undefined ||
  Object.entries(when).every(
    ([field, condition]) => condition === undefined || holds(condition, valueOf(field, question)),
  );

export class RulesProgram implements Program {
  readonly attach: 'select' | 'selectOrMigrate';
  rulesRun = 0;
  private turn = 0;

  constructor(
    private readonly rules: Rules,
    private readonly random: RandomStream,
    /** Depths as a strict policy sees them. */
    private readonly map: DepthMap,
  ) {
    this.attach = rules.attach;
  }

  run(question: Question): Decision {
    const { rules } = this.rules;
    for (let i = 0; i < rules.length; i++) {
      if (!matches(rules[i]!.when, question)) continue;
      this.rulesRun = i + 1;
      return this.act(rules[i]!.do, question);
    }
    this.rulesRun = rules.length + 1;
    return this.act(this.rules.default, question);
  }

  private act(action: Action, question: Question): Decision {
    if (action === 'hash') return undefined;
    if (action === 'drop') return DROP;
    if (action === 'random') return this.choose('random', undefined, question, question.group.live());
    if (action.pick === 'index') return question.group.live()[action.index!];
    const candidates = question.group.live().filter((sk) => this.among(sk, action, question));
    if (candidates.length === 0) return action.emptyMeansDrop === true ? DROP : undefined;
    return this.choose(action.pick, action.id, question, candidates);
  }

  private among(sk: Listener, { among }: Pick, { sk: from, group }: Question): boolean {
    if (among === undefined) return true;
    const { generation, ids, maxDepth } = among;
    if (ids !== undefined && !ids.includes(sk.name)) return false;
    if (maxDepth !== undefined && this.depthOf(sk) > maxDepth) return false;
    if (generation === undefined) return true;
    if (generation === 'same') return sk.generation === from.generation;
    if (generation === 'newer') return sk.generation > from.generation;
    if (generation === 'newest') return group.live().every((other) => other.generation <= sk.generation);
    return sk.generation === generation;
  }

  private choose(
    pick: Exclude<Pick['pick'], 'index'>,
    id: string | undefined,
    { connection }: Question,
    candidates: readonly Listener[],
  ): Listener | undefined {
    const { hash } = connection;
    const count = candidates.length;
    switch (pick) {
      case 'hash':
        return candidates[reciprocalScale(hash, count)];
      case 'random':
        return candidates[this.random.below(count)];
      case 'roundRobin':
        return candidates[this.turn++ % count];
      case 'id':
        return candidates.find(({ name }) => name === id);
      case 'leastLoaded':
        return candidates.reduce((least, sk) => (this.depthOf(sk) < this.depthOf(least) ? sk : least));
      case 'consistentHash': {
        // Highest random weight: a listener that goes moves only what it had.
        const weight = (sk: Listener): number => mix32(hash ^ mix32(sk.number + 1));
        return candidates.reduce((best, sk) => (weight(sk) > weight(best) ? sk : best));
      }
    }
  }

  private depthOf(sk: Listener): number {
    return this.rules.kernelStrict ? this.map.of(sk) : sk.length;
  }
}
