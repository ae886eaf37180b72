// Finds out in a thread whether a text can be read as YAML in time and in memory, before it is read on the event loop.
// A few hundred bytes can take the parser minutes (nested complex keys: 250 times "? " takes 4 s, 500 times a minute)
// and gigabytes (aliases of aliases); a thread can be stopped.
//
// One text at a time, in the order of arrival; a thread that was stopped is replaced.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { BadRequest, TooLarge } from './api/request.js';
import {
  MAX_SCENARIO_JSON_CHARS,
  MAX_SCENARIOS_WAITING,
  SCENARIO_HEAP_MB,
  SCENARIO_READ_LIMIT_MS,
  SCENARIO_YOUNG_MB,
} from './limits.js';

export type GuardAnswer =
  { readonly safe: true; readonly jsonChars?: number } | { readonly safe: false; readonly reason: string };

/** More scenarios than can be looked at soon. */
export class TooManyScenarios extends Error {
  override readonly name = 'TooManyScenarios';
}

const TOO_HARD: GuardAnswer = { safe: false, reason: 'expected a text that can be read within a second' };
const TOO_MUCH: GuardAnswer = { safe: false, reason: 'expected a text that needs less memory' };

/** Beside this file, or in `dist` when this file is run from its source (tests). */
function threadUrl(): URL {
  const beside = new URL('./yaml-guard-thread.js', import.meta.url);
  return existsSync(fileURLToPath(beside)) ? beside : new URL('../dist/yaml-guard-thread.js', import.meta.url);
}

export class YamlGuard {
  #thread: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #ready: Promise<void> = Promise.resolve();
  #answered: (answer: GuardAnswer) => void = () => {};

  /** @throws BadRequest, TooLarge, TooManyScenarios */
  async check(text: string): Promise<void> {
    if (this.#waiting >= MAX_SCENARIOS_WAITING) {
      throw new TooManyScenarios(`expected at most ${MAX_SCENARIOS_WAITING} scenarios at once; try again`);
    }
    this.#waiting++;
    const answer = this.#last.then(() => this.#ask(text));
    this.#last = answer.catch(() => {});
    const { safe, ...more } = await answer.finally(() => this.#waiting--);
    if (!safe) throw BadRequest.of(`scenario: ${(more as { reason: string }).reason}`);
    const { jsonChars = 0 } = more as { jsonChars?: number };
    if (jsonChars > MAX_SCENARIO_JSON_CHARS) {
      throw new TooLarge(`scenario: expected at most ${MAX_SCENARIO_JSON_CHARS} characters as JSON, got ${jsonChars}`);
    }
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  async #ask(text: string): Promise<GuardAnswer> {
    const thread = (this.#thread ??= this.#start());
    await this.#ready; // the start of a thread is not the text's time
    return new Promise((resolve) => {
      const limit = setTimeout(() => this.#lost(thread, TOO_HARD), SCENARIO_READ_LIMIT_MS);
      this.#answered = (answer) => {
        clearTimeout(limit);
        resolve(answer);
      };
      thread.postMessage(text);
    });
  }

  #start(): Worker {
    const thread = new Worker(threadUrl(), {
      resourceLimits: { maxOldGenerationSizeMb: SCENARIO_HEAP_MB, maxYoungGenerationSizeMb: SCENARIO_YOUNG_MB },
      execArgv: [],
    });
    thread.unref();
    this.#ready = new Promise((resolve) => thread.once('message', () => resolve()).once('exit', () => resolve()));
    thread.on('message', (answer: GuardAnswer | 'ready') => {
      if (answer !== 'ready') this.#answered(answer);
    });
    thread.on('error', () => this.#lost(thread, TOO_MUCH));
    thread.on('exit', () => this.#lost(thread, TOO_HARD));
    return thread;
  }

  #lost(thread: Worker, answer: GuardAnswer): void {
    if (this.#thread !== thread) return; // replaced already
    this.#thread = undefined;
    void thread.terminate();
    this.#answered(answer);
  }
}
