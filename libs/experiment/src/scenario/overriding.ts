// What was said on the command line, put into the plain document of a scenario before anything is checked.
import { parse } from 'yaml';
import type { Scalar } from '../cell.js';
import { isSameValue, parseThresholdKey } from '../thresholds.js';
import { tooDeepAt } from './nesting.js';
import { formatGot, type ScenarioProblem } from './problems.js';
import { formatPath } from './zod-problems.js';

export interface ScenarioOverrides {
  /**
   * Path (with or without a leading `spec.`) to a YAML scalar: `machine.cpus` to `6`. Where the file sweeps that path, the
   * sweep is pinned to the value.
   */
  readonly set?: Readonly<Record<string, string>>;
  /** Path to YAML scalars, or to one range: `2..64:2` with its step, `100/s..10000/s:log9` with its points. */
  readonly sweep?: Readonly<Record<string, readonly string[]>>;
  /** Labels of the file's variants or ids of the mechanism's; they replace the file's list. */
  readonly variants?: readonly string[];
  /** Ids that join the variants of the file, unless they are among them. */
  readonly addVariants?: readonly string[];
  readonly seed?: number;
  readonly replications?: number;
  /** Duration such as `10min`: `spec.maxDuration`. */
  readonly maxDuration?: string;
}

type Mapping = Record<string, unknown>;

/** `from..to`, which does not say what is between. */
const HALF_RANGE = /^([^.]\S*?)\.\.([^\s:]+)$/;
/** `from..to:step` or `from..to:log<points>`. */
const RANGE = /^([^.]\S*?)\.\.(\S+?):(log)?(\S+)$/;

/** `spec.machine.cpus` and `machine.cpus` are the same path. */
export const withoutSpec = (path: string) => path.trim().replace(/^spec\./, '');

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a variant's entry in a scenario is called. */
const labelOf = (entry: unknown): unknown => (isMapping(entry) ? (entry.as ?? entry.id) : entry);

export class Overriding {
  readonly problems: ScenarioProblem[] = [];
  readonly #sources = new Map<string, string>();

  constructor(
    private readonly document: Mapping,
    private readonly source: string,
  ) {}

  apply(overrides: ScenarioOverrides): void {
    if (overrides.set ?? overrides.sweep) this.#dropTitle();
    const sweepPaths = Object.keys(overrides.sweep ?? {});
    for (const [path, text] of Object.entries(overrides.set ?? {})) {
      const option = `--set ${path}=${text}`;
      const value = this.#scalar(option, path, text);
      if (value === undefined || this.#isSearched(path, option)) continue;
      const swept = sweepPaths.find((other) => withoutSpec(other) === withoutSpec(path));
      if (swept !== undefined)
        this.#problem(option, path, `either --set or --sweep, not also --sweep ${swept}`, 'both');
      else if (this.#isSwept(path)) this.#sweep(path, [value], option);
      else this.#put(withoutSpec(path).split('.'), value, option);
    }
    for (const [path, texts] of Object.entries(overrides.sweep ?? {})) {
      const option = `--sweep ${path}=${texts.join(',')}`;
      const range = texts.length === 1 ? RANGE.exec(texts[0]!) : null;
      if (range) {
        this.#putRange(range, path, option);
        continue;
      }
      if (texts.length === 1 && HALF_RANGE.test(texts[0]!)) {
        const [text] = texts;
        this.#problem(option, path, `a step (${text}:8), points at equal ratios (${text}:log8), or a list`, text!);
        continue;
      }
      const values = texts.map((text) => this.#scalar(option, path, text));
      if (values.length === 0) this.#problem(option, path, 'at least one value', 'nothing');
      else if (!values.includes(undefined)) this.#sweep(path, values, option);
    }
    if (overrides.variants) this.#variants(overrides.variants);
    else if (overrides.addVariants) this.#variants([...this.#labels(), ...overrides.addVariants]);
    if (overrides.seed !== undefined) this.#put(['seed'], overrides.seed, `--seed ${overrides.seed}`);
    if (overrides.replications !== undefined) {
      this.#put(['replications'], overrides.replications, `--replications ${overrides.replications}`);
    }
    if (overrides.maxDuration !== undefined) {
      this.#put(['maxDuration'], overrides.maxDuration, `--timeout ${overrides.maxDuration}`);
    }
  }

  /** `50,000 unshare cycles on 40 CPUs` is not what runs with other CPUs. */
  #dropTitle(): void {
    const { metadata } = this.document;
    if (isMapping(metadata)) delete metadata['title'];
  }

  #putRange([, from, to, log, size]: RegExpExecArray, path: string, option: string): void {
    const parts = { from, to, [log ? 'points' : 'step']: size };
    const range = Object.fromEntries(Object.entries(parts).map(([k, text]) => [k, this.#scalar(option, path, text!)]));
    if (Object.values(range).includes(undefined)) return;
    // It takes the place of the file's own axis, whatever that is called there.
    this.#isSwept(path);
    this.#put(['sweep', withoutSpec(path)], range, option);
  }

  /** Whether the file sweeps the path; from then on under its plain name. */
  #isSwept(path: string): boolean {
    const sweep = this.#part('sweep');
    const name = Object.keys(sweep ?? {}).find((known) => withoutSpec(known) === withoutSpec(path));
    if (sweep === undefined || name === undefined) return false;
    const renamed = Object.entries(sweep).map(([key, axis]) => [key === name ? withoutSpec(key) : key, axis]);
    (this.document['spec'] as Mapping)['sweep'] = Object.fromEntries(renamed);
    return true;
  }

  /** A search tries its own values of a path, so one that is set would never be used. */
  #isSearched(path: string, option: string): boolean {
    const parameter = this.#part('find')?.['parameter'];
    if (typeof parameter !== 'string' || withoutSpec(parameter) !== withoutSpec(path)) return false;
    this.#problem(option, path, 'a path that spec.find does not search', parameter);
    return true;
  }

  /** Values in place of those of the file. What the file asks of values that are not run now cannot be judged. */
  #sweep(path: string, values: readonly unknown[], option: string): void {
    const before = this.#isSwept(path) ? this.#part('sweep')![withoutSpec(path)] : undefined;
    this.#put(['sweep', withoutSpec(path)], values, option);
    const thresholds = this.#part('thresholds');
    if (thresholds === undefined || !Array.isArray(before)) return;
    const among = (list: readonly unknown[], text: string) => list.some((value) => isSameValue(value as Scalar, text));
    for (const key of Object.keys(thresholds)) {
      const wanted = parseThresholdKey(key)?.at[withoutSpec(path)];
      if (wanted !== undefined && among(before, wanted) && !among(values, wanted)) delete thresholds[key];
    }
  }

  #part(name: string): Mapping | undefined {
    const { spec } = this.document;
    const part = isMapping(spec) ? spec[name] : undefined;
    return isMapping(part) ? part : undefined;
  }

  sourceOf(path: readonly PropertyKey[]): string {
    for (let length = path.length; length > 0; length--) {
      const source = this.#sources.get(formatPath(path.slice(0, length)));
      if (source) return source;
    }
    // A key that an option has made on its way down (`--set mashine.cpus=6` makes `spec.mashine`).
    const text = formatPath(path);
    for (const [set, source] of this.#sources) if (set.startsWith(`${text}.`) && path.length > 1) return source;
    return this.source;
  }

  #listed(): unknown[] {
    const { spec } = this.document;
    return isMapping(spec) && Array.isArray(spec.variants) ? (spec.variants as unknown[]) : [];
  }

  #labels(): string[] {
    return this.#listed()
      .map(labelOf)
      .filter((label) => typeof label === 'string');
  }

  /** A variant that the file already has keeps what the file says about it. */
  #variants(wanted: readonly string[]): void {
    const listed = this.#listed();
    const entries = wanted.map((label) => listed.find((entry) => labelOf(entry) === label) ?? label);
    this.#put(['variants'], entries, `--variants ${wanted.join(',')}`);
    const thresholds = this.#part('thresholds');
    if (thresholds === undefined) return;
    // What the file asks of a variant that is not run now cannot be judged; a label it never had stays an error.
    const dropped: unknown[] = listed.map(labelOf).filter((label) => !wanted.includes(label as string));
    for (const key of Object.keys(thresholds)) {
      const { variant, versus } = parseThresholdKey(key) ?? {};
      if (dropped.includes(variant) || dropped.includes(versus?.variant)) delete thresholds[key];
    }
  }

  #put(path: readonly string[], value: unknown, option: string): void {
    const keys = ['spec', ...path];
    let at: Mapping = this.document;
    for (const [depth, key] of keys.slice(0, -1).entries()) {
      at[key] ??= {};
      const next = at[key];
      if (!isMapping(next)) {
        this.#problem(option, keys.slice(1, depth + 1).join('.'), 'a path through mappings', formatGot(next));
        return;
      }
      at = next;
    }
    Object.defineProperty(at, keys.at(-1)!, { value, enumerable: true, configurable: true, writable: true });
    this.#sources.set(formatPath(keys), option);
  }

  #scalar(option: string, path: string, text: string): unknown {
    let value: unknown;
    try {
      value = tooDeepAt(text) === undefined ? parse(text) : text;
    } catch {
      value = text;
    }
    if (value !== null && typeof value !== 'object') return value;
    this.#problem(option, path, 'a number, text, true or false', text.trim() === '' ? 'nothing' : text);
    return undefined;
  }

  #problem(source: string, path: string, expected: string, got: string): void {
    this.problems.push({ source, path: `spec.${withoutSpec(path)}`, expected, got });
  }
}
