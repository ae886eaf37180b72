// Quantiles, the theory of the M/M/c queue, and the confidence bound of a mean from batches. That quantiles are those of
// libs/experiment, and written again, is because run.mjs loads this before it compiles the workspace.

/** Between the two values that are next to it, in proportion; 0.5 is the median. */
export function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Student's t for 99.9 %, two-sided, 19 degrees of freedom: 20 batches. */
const T_999_19 = 3.883;

/** Mean of the batches and half the width of its 99.9 % confidence interval. */
export function batchInterval(means) {
  if (means.length !== 20) throw new Error(`expected 20 batches, got ${means.length}`);
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (means.length - 1);
  return { mean, bound: T_999_19 * Math.sqrt(variance / means.length) };
}

/** Mean waiting time of M/M/c in mean service times (Erlang C). */
export function meanWait(servers, load) {
  const offered = servers * load;
  let term = 1;
  let sum = 1;
  for (let k = 1; k < servers; k++) {
    term *= offered / k;
    sum += term;
  }
  const last = (term * offered) / servers / (1 - load);
  const waitProbability = last / (sum + last);
  return waitProbability / (servers * (1 - load));
}
