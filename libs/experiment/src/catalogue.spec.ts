// Every file of the catalogue, against the parser and against the JSON Schema that editors use.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planRound } from './plan.js';
import { listScenarioFiles, parseScenario } from './scenario/parse.js';
import { publishedSchemas } from './schemas/schemas.js';

const files = listScenarioFiles(fileURLToPath(new URL('../../../scenarios', import.meta.url)));
const validate = new Ajv2020({ allErrors: true, strict: false }).compile(
  publishedSchemas()['scenario.schema.json'] as object,
);

describe('the catalogue', () => {
  it('has the scenarios of the netns series', () => {
    expect(files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(
        ['unshare-storm', 'six-cpus', 'critical-rate', 'user-limit', 'memory-limit', 'hold-and-drop'].map(
          (name) => `netns-${name}`,
        ),
      ),
    );
  });

  describe.each(files)('$name', ({ name, file }) => {
    const text = readFileSync(file, 'utf8');

    it('can run', () => {
      const scenario = parseScenario(text, file);
      expect(scenario.name).toBe(name);
      expect(planRound(scenario, new Map()).length).toBeGreaterThan(0);
    });

    it('says which question it answers and where its schema is', () => {
      const [first, , second] = text.split('\n');
      expect(first).toBe('# yaml-language-server: $schema=../schemas/scenario.schema.json');
      expect(second).toMatch(/^# \S/);
      expect(parseScenario(text, file).description).toMatch(/\?$/);
    });

    it('fits the JSON Schema', () => {
      validate(parse(text));
      expect(validate.errors).toBeNull();
    });
  });

  it.each([
    ['an unknown workload key', { workload: { cycels: 1 } }],
    ['an unknown variant', { variants: ['v9'] }],
    ['an unknown metric', { thresholds: { nonsense_bytes: ['max<1'] } }],
    ['0 CPUs', { machine: { profile: 'deb510-40cpu', cpus: 0 } }],
    ['an unknown constant', { machine: { profile: 'deb510-40cpu', constants: { x: 1 } } }],
  ])('JSON Schema refuses %s as the parser does', (_, change) => {
    const document = parse(readFileSync(files.find(({ name }) => name === 'netns-unshare-storm')!.file, 'utf8'));
    Object.assign(document.spec, change);
    expect(validate(document)).toBe(false);
    expect(() => parseScenario(JSON.stringify(document), 'x')).toThrow(/expected/);
  });
});
