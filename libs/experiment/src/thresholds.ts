// Thresholds in the form that k6 users know. They aggregate a metric over the replications of one variant and sweep
// point, and must hold for each.
//
//   key       ::= metric | metric "{" "variant:" label "}"
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

export interface Threshold {
  readonly metric: string;
  /** Label of the only variant it is for; undefined for each. */
  readonly variant: string | undefined;
  readonly condition: Condition;
}

export const CONDITION_FORM = 'a condition such as max<400MiB, p(95)<=250ms or med>1GB';
export const KEY_FORM = 'metric or metric{variant:label}';

const KEY = /^\s*([a-z][a-z0-9_]*)\s*(?:\{\s*variant\s*:\s*([\w.-]+)\s*\})?\s*$/;
const CONDITION = /^\s*(med|min|max|avg|p\(\s*([\d.]+)\s*\))\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*$/;

/** @returns undefined when the text is no key. Whether metric and variant exist is for the caller to say. */
export function parseThresholdKey(
  text: string,
): { readonly metric: string; readonly variant: string | undefined } | undefined {
  const match = KEY.exec(text);
  return match ? { metric: match[1]!, variant: match[2] } : undefined;
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
