// The scenarios and mechanisms that this coordinator knows, whichever protocol asks.
import { listScenarioFiles, mechanisms, parseScenario, planRound, type Scenario } from '@kworkbench/experiment';
import { describe } from '@kworkbench/service-host';
import type { DescribeResponse } from '@kworkbench/contracts';
import { existsSync, readFileSync } from 'node:fs';
import { NotFound } from './cells.js';
import type { ScenarioReader } from './scenario-reader.js';

export interface ScenarioFacts {
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly mechanism: string;
  readonly variants: readonly string[];
  readonly replications: number;
  /** Of the first round; a search adds rounds. */
  readonly cells: number;
}

function factsOf(scenario: Scenario): ScenarioFacts {
  return {
    name: scenario.name,
    title: scenario.title,
    description: scenario.description,
    mechanism: scenario.mechanism.name,
    variants: scenario.variants.map(({ label }) => label),
    replications: scenario.replications,
    cells: planRound(scenario, new Map()).length,
  };
}

interface Entry {
  readonly facts: ScenarioFacts;
  readonly yaml: string;
}

export class Catalogue {
  /** By name. Read once, when it is first asked for: the files belong to the build. */
  #entries: ReadonlyMap<string, Entry> | undefined;

  /** @param directory of the scenario files; one that is missing is an empty catalogue. */
  constructor(
    private readonly directory: string,
    private readonly reader: ScenarioReader,
  ) {}

  /** What a submission of this text would run; nothing is started. @throws what ScenarioReader.read throws */
  async check(text: string, sourceName: string): Promise<ScenarioFacts> {
    return factsOf(await this.reader.read(text, sourceName));
  }

  scenarios(): readonly ScenarioFacts[] {
    return [...this.#all().values()].map(({ facts }) => facts);
  }

  /** @throws NotFound */
  scenario(name: string): Entry {
    const entry = this.#all().get(name);
    if (!entry) throw new NotFound(`no scenario "${name}"`);
    return entry;
  }

  mechanisms(): DescribeResponse[] {
    return [...mechanisms.values()].map(describe);
  }

  /** @throws NotFound */
  mechanism(name: string): DescribeResponse {
    const mechanism = mechanisms.get(name);
    if (!mechanism) throw new NotFound(`no mechanism "${name}"`);
    return describe(mechanism);
  }

  #all(): ReadonlyMap<string, Entry> {
    this.#entries ??= new Map(
      (existsSync(this.directory) ? listScenarioFiles(this.directory) : []).map(({ name, file }) => {
        const yaml = readFileSync(file, 'utf8');
        return [name, { facts: factsOf(parseScenario(yaml, file)), yaml }];
      }),
    );
    return this.#entries;
  }
}
