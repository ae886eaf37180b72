// Every limit of a scenario, with its reason. The JSON Schema for editors carries the same numbers.

/** NR_CPUS of no distribution is larger than 8192; above 4096 CPUs nothing was ever checked. */
export const MAX_CPUS = 4096;
/** Beyond this the interval of a median no longer gets usefully narrower. */
export const MAX_REPLICATIONS = 1000;
/** Bounds the plan and the report; more than this is a typing error in a sweep. */
export const MAX_CELLS = 10_000;
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
/** Timers of the host hold 2^31 - 1 ms; a day is enough. */
export const MAX_CELL_TIMEOUT_SECONDS = 86_400;
export const MIN_CELL_TIMEOUT_SECONDS = 0.01;
/** A bisection halves its bracket this often at most; a double has no more digits. */
export const MAX_FIND_ROUNDS = 60;
