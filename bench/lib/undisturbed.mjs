// Which parts of a measurement the core was left alone in.
//
// A virtual CPU is often one of two threads of a core, and somebody else's is the other: while that one works, ours does
// half as much in the same CPU time, for a tenth of a second or for minutes, and no clock of the guest shows it. So every
// program stops its clock 40 times, and runs a loop of fixed work (the pace) before each slice and after the last. A
// slice counts when both paces beside it are within PACE_SLACK of the best that was seen in this language. It is the
// same for all contenders. Programs without slices count as they are.

const PACE_SLACK = 1.1;
/** With fewer slices than this a run says too little, and is done again. */
const FEWEST_SLICES = 2;

/** The loop is another in each language. */
const LANGUAGES = { kworkbench: 'JavaScript', simpy: 'Python' };
const best = new Map();

const languageOf = (contender) => LANGUAGES[contender] ?? 'C++';

/** Remembers the best pace. To be called with every run, before any is judged. */
export function notePaces(contender, { paces }) {
  if (paces === undefined) return;
  const language = languageOf(contender);
  best.set(language, Math.min(best.get(language) ?? Infinity, ...paces));
}

function undisturbedSlices(contender, { slices, paces }) {
  const limit = best.get(languageOf(contender)) * PACE_SLACK;
  return slices.filter((_, i) => paces[i] <= limit && paces[i + 1] <= limit);
}

/** Whether enough of the run was undisturbed. */
export const isUndisturbed = (contender, line) =>
  line.slices === undefined || undisturbedSlices(contender, line).length >= FEWEST_SLICES;

/** Operations per CPU second of all of the run. */
export const wholeRateOf = (line) => line.operations / line.cpuSeconds;

/** The same of what was undisturbed, unless too little was. */
export function rateOf(contender, line) {
  if (!isUndisturbed(contender, line) || line.slices === undefined) return wholeRateOf(line);
  const slices = undisturbedSlices(contender, line);
  const seconds = slices.reduce((sum, slice) => sum + slice, 0);
  return ((line.operations / line.slices.length) * slices.length) / seconds;
}
