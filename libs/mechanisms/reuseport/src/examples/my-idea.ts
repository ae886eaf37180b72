// An example of a variant of one's own: kwb run reuseport-close-order --variant my-idea.ts
//
// The idea: of two listeners, the one with the shorter queue ("power of two choices"), and never one that is older than the
// closed listener. Cheaper than a look at all queues, and nearly as even.
import type { Policy, ReuseportIdea } from '@kworkbench/reuseport';

function twoChoices(): Policy {
  return ({ migrating, sk, live, rng }) => {
    // New connections go by the hash, as always.
    if (migrating === null) return { pass: true };
    const younger = live.filter(({ generation }) => generation > sk.generation);
    const candidates = younger.length > 0 ? younger : live;
    if (candidates.length === 0) return { drop: true };
    const first = candidates[rng() % candidates.length]!;
    const second = candidates[rng() % candidates.length]!;
    return { pass: true, select: first.depth <= second.depth ? first.id : second.id };
  };
}

const idea: ReuseportIdea = {
  mechanism: 'reuseport',
  id: 'twoChoices',
  title: 'the shorter of two queues at random, of listeners that are younger',
  rules: 6,
  program: twoChoices,
};

export default idea;
