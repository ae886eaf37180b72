// Every limit of a scenario, with its reason. The JSON Schema for editors carries the same numbers.

/** NR_CPUS of no distribution is larger than 8192; above 4096 CPUs nothing was ever checked. */
export const MAX_CPUS = 4096;
/** Beyond this the interval of a median no longer gets usefully narrower. */
export const MAX_REPLICATIONS = 1000;
/** Cells of a scenario unless more are asked for; more than this is a typing error in a sweep more often than not. */
export const MAX_CELLS = 10_000;
/** Cells that can be asked for: the plan of a million fits into a gigabyte, and takes days to run. */
export const MOST_CELLS = 1_000_000;
/** A scenario is a page of text; its sweep written out by hand makes it some. Anything above is no scenario. */
export const MAX_SCENARIO_BYTES = 2 ** 20;
/** Levels of lists and mappings in a scenario file; those of the catalogue have up to 6. */
export const MAX_NESTING = 64;
/** Designs that one table can still compare. */
export const MAX_VARIANTS = 100;
/** Axes of a sweep: each multiplies the cells. */
export const MAX_SWEEP_AXES = 8;
export const MAX_THRESHOLDS = 1000;
/** A host below this cannot boot. */
export const MIN_MEMORY_BYTES = 64 * 2 ** 20;
/** Memory that a double counts exactly. */
export const MAX_MEMORY_BYTES = 2 ** 50;
/** CONFIG_HZ_100 to CONFIG_HZ_1000. */
export const MIN_HZ = 100;
export const MAX_HZ = 1000;
export const MAX_SEED = 2 ** 32 - 1;
/** Wall time that a cell may take when the scenario names none: far above any published run, short of a night. */
export const DEFAULT_CELL_TIMEOUT_SECONDS = 600;
/** Replications that must have ended before an early abort is judged, when the scenario names none. */
export const DEFAULT_ABORT_GRACE = 3;
/** Wall time of a whole experiment: a month. */
export const MAX_EXPERIMENT_SECONDS = 31 * 86_400;
/** Timers of the host hold 2^31 - 1 ms; a day is enough. */
export const MAX_CELL_TIMEOUT_SECONDS = 86_400;
export const MIN_CELL_TIMEOUT_SECONDS = 0.01;
/** A bisection halves its bracket this often at most; a double has no more digits. */
export const MAX_FIND_ROUNDS = 60;

/** Mechanisms beside the one under study. */
export const MAX_BESIDE = 8;
