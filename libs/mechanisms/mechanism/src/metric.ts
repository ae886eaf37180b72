import type { MetricSpec } from './mechanism.js';

/** A metric in one line; its name stays known to the compiler, so that an outcome can be held to the names declared. */
export const metric = <Name extends string>(
  name: Name,
  unit: MetricSpec['unit'],
  better: MetricSpec['better'],
  help: string,
): MetricSpec & { readonly name: Name } => ({ name, unit, better, help });
