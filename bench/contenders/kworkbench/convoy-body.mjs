// The tasks of the mutex convoy, as generators and as state machines.
import { Routine } from '@kworkbench/machine';

const HOLD_NS = 10_000;
const THINK_NS = 5000;

/** `counted` is called in every section. */
export function convoyBody(mutex, form, counted) {
  function* generator() {
    for (;;) {
      for (let wait; (wait = mutex.acquire()) !== 0;) yield wait;
      yield HOLD_NS;
      counted();
      mutex.unlock();
      yield THINK_NS;
    }
  }

  class Convoy extends Routine {
    #holds = false;
    step() {
      if (this.#holds) {
        counted();
        mutex.unlock();
        this.#holds = false;
        return THINK_NS;
      }
      const wait = mutex.acquire();
      if (wait !== 0) return wait;
      this.#holds = true;
      return HOLD_NS;
    }
  }

  return form === 'routines' ? () => new Convoy() : generator;
}
