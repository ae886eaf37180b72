// From the text of a request to a scenario. Whatever the text is, it ends in a scenario or in an error of the client's.
import { parseScenario, type Scenario } from '@kworkbench/experiment';
import { BadRequest, TooLarge } from './api/request.js';
import { MAX_SCENARIO_BYTES } from './limits.js';
import { YamlGuard } from './yaml-guard.js';

export class ScenarioReader {
  readonly #guard = new YamlGuard();

  /** @throws TooLarge, BadRequest, ScenarioError, TooManyScenarios */
  async read(text: string, sourceName: string): Promise<Scenario> {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_SCENARIO_BYTES) {
      throw new TooLarge(`scenario: expected at most ${MAX_SCENARIO_BYTES} bytes, got ${bytes}`);
    }
    if (text.trim() === '') throw BadRequest.of('scenario: expected YAML or JSON, got nothing');
    // PostgreSQL cannot store it.
    if (text.includes('\0')) throw BadRequest.of('scenario: expected text without NUL characters');
    await this.#guard.check(text);
    return parseScenario(text, sourceName || 'scenario');
  }

  close(): Promise<void> {
    return this.#guard.close();
  }
}
