// Which parts of a measurement the core was left alone in.
//
// A virtual CPU is often one of two threads of a core, and somebody else's is the other: while that one works, ours does
// half as much in the same CPU time, for a tenth of a second or for minutes, and no clock of the guest shows it. So every
// program stops its clock 100 times, and runs a loop of fixed work (the pace) before each slice and after the last. A
// slice counts when both paces beside it are within PACE_SLACK of the best that was seen in this language; those of all
// rounds are one sample. It is the same for all contenders. Programs without slices count run by run, as they are.

const PACE_SLACK = 1.1;
/** With fewer slices than this of all rounds, more rounds are run while there is time; of 500 in five quiet rounds. */
export const ENOUGH_SLICES = 50;
/** With fewer than this nothing can be said, and everything counts. */
export const FEWEST_SLICES = 10;

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

/** Operations per CPU second of all of a run. */
const wholeRateOf = (run) => run.operations / run.cpuSeconds;

/** Operations per CPU second of everything that a contender did, run by run. */
export const wholeRatesOf = (runs) => runs.map(wholeRateOf);

/** The same of each slice in which it had the core alone; of each run, if the program has no slices. */
export function undisturbedRatesOf(contender, runs) {
  const limit = best.get(languageOf(contender)) * PACE_SLACK;
  return runs.flatMap((run) => {
    const { slices, paces } = run;
    if (slices === undefined) return [wholeRateOf(run)];
    const operations = run.operations / slices.length;
    return slices.filter((_, i) => paces[i] <= limit && paces[i + 1] <= limit).map((seconds) => operations / seconds);
  });
}
