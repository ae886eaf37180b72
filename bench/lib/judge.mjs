// From the rounds of a benchmark to what is said about it: rates, checks that all ran the same model, bars.
import { batchInterval, meanWait, quantile } from './statistics.mjs';
import { FEWEST_SLICES, undisturbedRatesOf, wholeRatesOf } from './undisturbed.mjs';

const LOAD = 0.8;

/** Median and quartiles of a row: of what was undisturbed, or of whole runs when that was next to nothing. */
export function summarize(benchmark, row, runs) {
  const undisturbed = undisturbedRatesOf(row.contender, runs);
  const disturbed = runs[0].slices !== undefined && undisturbed.length < FEWEST_SLICES;
  const rates = disturbed ? wholeRatesOf(runs) : undisturbed;
  const values = benchmark.allocation ? runs.map((run) => run.bytesPerEvent) : rates;
  return {
    ...row,
    rounds: runs.length,
    slices: runs[0].slices && undisturbed.length,
    disturbed,
    value: quantile(values, 0.5),
    // Only rates are compared with those of others.
    overEverything: quantile(wholeRatesOf(runs), 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    peakBytes: runs[0].peakBytes && Math.max(...runs.map((run) => run.peakBytes)),
    last: runs.at(-1),
  };
}

/** What must agree between contenders, and with theory. Each is `{ ok, text }`. */
export function checksOf(benchmark, rows) {
  const checks = [];
  const times = new Map();
  for (const { label, last } of rows) {
    if (last.warmupTimeNs === undefined) continue;
    times.set(last.warmupTimeNs, [...(times.get(last.warmupTimeNs) ?? []), label]);
  }
  if (times.size === 1) {
    checks.push({ ok: true, text: `same model: all are at ${[...times.keys()][0]} virtual ns after the warm-up` });
  } else if (times.size > 1) {
    const who = [...times].map(([timeNs, labels]) => `${timeNs} (${labels.join(', ')})`).join(' / ');
    checks.push({ ok: false, text: `not the same model: virtual ns after the warm-up are ${who}` });
  }
  if (benchmark.theory) for (const row of rows) checks.push(theoryCheck(benchmark.size, row));
  return checks;
}

function theoryCheck(servers, { label, last }) {
  const expected = meanWait(servers, LOAD);
  const { mean, bound } = batchInterval(last.batchMeans);
  const text = `mean wait ${mean.toFixed(4)} +- ${bound.toFixed(4)} services (99.9 %), theory ${expected.toFixed(4)}: ${label}`;
  return { ok: Math.abs(mean - expected) <= bound, text };
}

/** Every bar as `{ ok, text }`; `ok` is undefined when the contender is not there. */
export const barsOf = (benchmark, rows) => benchmark.bars.map((bar) => judge(bar, rows, benchmark));

function judge(bar, rows, benchmark) {
  const ours = rows.find((row) => row.contender === 'kworkbench' && row.variant === bar.ours);
  if (ours === undefined) return { text: `${bar.ours}: did not run` };
  if (bar.leastRate !== undefined) {
    const scale = benchmark.scale ?? 1e6;
    const text = `${bar.ours}: ${(ours.value / scale).toFixed(2)} ${benchmark.unit} (bar: at least ${bar.leastRate / scale})`;
    return { ok: ours.value >= bar.leastRate, text };
  }
  if (bar.mostSeconds !== undefined) {
    const seconds = ours.last.operations / ours.value;
    const text = `${seconds.toFixed(3)} s of CPU time (bar: below ${bar.mostSeconds} s)`;
    return { ok: seconds < bar.mostSeconds, text };
  }
  if (bar.mostPeakBytes !== undefined) {
    const text = `${bar.ours}: ${(ours.peakBytes / 1e6).toFixed(0)} MB peak memory (bar: at most ${bar.mostPeakBytes / 1e6})`;
    return { ok: ours.peakBytes <= bar.mostPeakBytes, text };
  }
  if (bar.mostBytesPerEvent !== undefined) {
    const text = `${bar.ours}: ${ours.value.toFixed(2)} bytes per event (bar: none, that is below ${bar.mostBytesPerEvent})`;
    return { ok: ours.value <= bar.mostBytesPerEvent, text };
  }
  if (bar.slowerThanOwn !== undefined) {
    const none = rows.find((row) => row.contender === 'kworkbench' && row.variant === bar.slowerThanOwn);
    if (none === undefined) return { text: `${bar.slowerThanOwn}: did not run` };
    const cost = ratioOf(none, ours).ratio;
    const text = `${bar.ours} costs ${cost.toFixed(2)} times ${bar.slowerThanOwn} (bar: at most ${bar.most})`;
    return { ok: cost <= bar.most, text };
  }
  return against(bar, ours, rows);
}

/** When one of the two never had the core for itself, the other is not to gain by that. */
function ratioOf(a, b) {
  const alike = !a.disturbed && !b.disturbed;
  return { alike, ratio: alike ? a.value / b.value : a.overEverything / b.overEverything };
}

/** Against the fastest row of the other contender; without `least` it is no bar, but said. */
function against(bar, ours, rows) {
  const others = rows.filter(
    ({ contender, variant }) => bar.against.includes(contender) && (bar.only?.includes(variant) ?? true),
  );
  if (others.length === 0) return { text: `${bar.ours} / ${bar.against.join(', ')}: not compared, it did not run` };
  const best = others.reduce((a, b) => (b.value > a.value ? b : a));
  const { ratio, alike } = ratioOf(ours, best);
  if (bar.least === undefined) {
    return { info: true, text: `${bar.ours} / ${best.label}: ${ratio.toFixed(2)} (unlike forms, no bar)` };
  }
  const how = alike ? '' : ', both over everything';
  return {
    ok: ratio >= bar.least,
    text: `${bar.ours} / ${best.label}: ${ratio.toFixed(2)} (bar: at least ${bar.least}${how})`,
  };
}
