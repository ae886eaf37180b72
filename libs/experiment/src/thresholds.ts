// Thresholds in the form that k6 users know. They aggregate a metric over the replications of one variant and sweep
// point, and must hold for each. With `minus` or `over` they aggregate the difference or the ratio of two variants,
// taken replication by replication.
//
//   key       ::= metric [ "{" tag { "," tag } "}" ]
//   tag       ::= "variant:" label | "minus:" label | "over:" label | path ":" value     path and value of the sweep
//   condition ::= aggregate operator value
//   aggregate ::= "med" | "min" | "max" | "avg" | "p(" number ")"        number from 0 to 100
//   operator  ::= "<" | "<=" | ">" | ">=" | "==" | "!="
//   value     ::= number [ unit ]                                        400MiB, 0.5GB, 250ms, 120MB/s, 0.99
//
// White space may stand between the parts. Sizes are bytes, durations seconds, rates per second.
import { parseQuantity } from '@kworkbench/mechanism';
import { mean, median, quantile } from './statistics.js';

type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

export interface Condition {
  /** As written, without white space. */
  readonly text: string;
  readonly aggregate:
    { readonly kind: 'med' | 'min' | 'max' | 'avg' } | { readonly kind: 'p'; readonly percent: number };
  readonly operator: Operator;
  readonly value: number;
}

/** What a variant is set against: `minus` takes the difference to it, `over` the ratio. */
export interface Versus {
  readonly kind: 'minus' | 'over';
  readonly variant: string;
}

export interface ThresholdKey {
  readonly metric: string;
  /** Label of the only variant it is for; undefined for each. */
  readonly variant: string | undefined;
  readonly versus: Versus | undefined;
  /** Sweep path to value, as written; empty for every point. */
  readonly at: Readonly<Record<string, string>>;
}

export interface Threshold extends ThresholdKey {
  readonly condition: Condition;
  /** Finished replications after which a failure ends the experiment; undefined when it never does. */
  readonly abortAfter: number | undefined;
}

export const CONDITION_FORM = 'a condition such as max<400MiB, p(95)<=250ms or med>1GB';
export const KEY_FORM =
  'metric or metric{variant:label}, with minus:label, over:label or path:value of the sweep as further tags';

const KEY = /^\s*([a-z][a-z0-9_]*)\s*(?:\{([^{}]*)\})?\s*$/;
const TAG = /^\s*([\w.-]+)\s*:\s*([^:,]*?)\s*$/;
const CONDITION = /^\s*(med|min|max|avg|p\(\s*([\d.]+)\s*\))\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*$/;

/** @returns undefined when the text is no key. Whether metric, variants and paths exist is for the caller to say. */
export function parseThresholdKey(text: string): ThresholdKey | undefined {
  const match = KEY.exec(text);
  if (!match) return undefined;
  let variant: string | undefined;
  let versus: Versus | undefined;
  const at: Record<string, string> = {};
  for (const tag of match[2]?.split(',') ?? []) {
    const [, name, value] = TAG.exec(tag) ?? [];
    if (!name || !value) return undefined;
    if (name === 'variant' && variant === undefined) variant = value;
    else if ((name === 'minus' || name === 'over') && !versus) versus = { kind: name, variant: value };
    else if (name.includes('.') && !Object.hasOwn(at, name)) at[name.replace(/^spec\./, '')] = value;
    else return undefined;
  }
  return { metric: match[1]!, variant, versus, at };
}

/** Whether a value of the sweep is the one that a key names: `2GiB` and `2GiB`, `40` and 40, `1e3` and 1000. */
export function isSameValue(value: string | number | boolean, text: string): boolean {
  return String(value) === text || (typeof value === 'number' && parseThresholdValue(text) === value);
}

/** A number with a unit of size, time or rate, in base units; `120MB/s` too. */
export function parseThresholdValue(text: string): number | undefined {
  const perSecond = /^(.*[A-Za-z])\/s$/.exec(text);
  const value = parseQuantity(perSecond ? perSecond[1]! : text);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

/** @returns undefined when the text is no condition. */
export function parseCondition(text: string): Condition | undefined {
  const match = CONDITION.exec(text);
  if (!match) return undefined;
  const value = parseThresholdValue(match[4]!);
  if (value === undefined) return undefined;
  const operator = match[3] as Operator;
  const condition = { text: text.replaceAll(/\s+/g, ''), operator, value };
  if (match[2] === undefined) return { ...condition, aggregate: { kind: match[1] as 'med' | 'min' | 'max' | 'avg' } };
  const percent = Number(match[2]);
  return percent >= 0 && percent <= 100 ? { ...condition, aggregate: { kind: 'p', percent } } : undefined;
}

/** @param values one per replication, at least one. */
export function aggregate(condition: Condition, values: readonly number[]): number {
  switch (condition.aggregate.kind) {
    case 'med':
      return median(values);
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'avg':
      return mean(values);
    case 'p':
      return quantile(values, condition.aggregate.percent / 100);
  }
}

/** Whether an aggregated value meets the condition. */
export function holds(condition: Condition, value: number): boolean {
  switch (condition.operator) {
    case '<':
      return value < condition.value;
    case '<=':
      return value <= condition.value;
    case '>':
      return value > condition.value;
    case '>=':
      return value >= condition.value;
    case '==':
      return value === condition.value;
    case '!=':
      return value !== condition.value;
  }
}
