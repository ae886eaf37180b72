// Every limit of a request, with its reason. Those of a scenario's content are with the scenario (libs/experiment).

/**
 * A scenario as text, over HTTP and gRPC. The largest of the catalogue has 5 KB; one with a sweep of 10,000 values
 * written out by hand has some 60 KB. The YAML parser takes up to half a second for as much, and more than linearly
 * beyond: measured 6 s for 256 KiB of keys.
 */
export const MAX_SCENARIO_BYTES = 64 * 2 ** 10;
/** Wall time for the YAML parser, in a thread of its own, also on a busy machine; a scenario takes some milliseconds. */
export const SCENARIO_READ_LIMIT_MS = 1_500;
export const SCENARIO_HEAP_MB = 64;
/** V8's own choice follows the machine's memory, 48 MB and more, and a thread that was stopped leaves it to the allocator. */
export const SCENARIO_YOUNG_MB = 8;
/** A scenario after its aliases are written out. The largest of the catalogue has 5,000 characters. */
export const MAX_SCENARIO_JSON_CHARS = 256 * 2 ** 10;
/** Scenarios that wait for the parser; each takes milliseconds, or its time limit. */
export const MAX_SCENARIOS_WAITING = 32;
/** A client's own word, kept in an index. */
export const MAX_IDEMPOTENCY_KEY = 200;
/** A file name, for messages. */
export const MAX_SOURCE_NAME = 200;
/** Cells of one page; an experiment has up to some thousands, each some 300 bytes here. */
export const MAX_CELL_PAGE = 1_000;
/** Samples of an answer: a chart has some thousand pixels; below a few there is no room for the extremes. */
export const MAX_POINTS = 100_000;
export const DEFAULT_POINTS = 2_000;
export const MIN_POINTS = 10;

/** Request line and headers together; Node.js answers 431 beyond. A cursor and an idempotency key are the longest of ours. */
export const MAX_HEADER_BYTES = 16 * 2 ** 10;
/** The whole of a request must have arrived within this: 64 KiB over a bad line, and no connection held open for ever. */
export const REQUEST_LIMIT_MS = 30_000;
export const HEADERS_LIMIT_MS = 10_000;
/** Of a body that is refused, so that its sender gets to read why: it is read this far, and nothing of it is kept. */
export const MAX_FORGOTTEN_BYTES = 16 * 2 ** 20;
/** A connection on which nothing is asked. */
export const KEEP_ALIVE_MS = 65_000;
/** Connections of one coordinator, over HTTP; each costs a socket and some 20 KB. */
export const MAX_CONNECTIONS = 2_000;
/** Watchers of one coordinator over HTTP and gRPC; each looks at the store once a second. */
export const MAX_WATCHERS = 500;

/**
 * Requests of one client address that were refused as wrong (400, 413, 415, 422), within a window, until further ones
 * are refused unread. A person who edits a scenario makes some; a program in a loop makes thousands, and each may cost
 * a second of the YAML parser.
 */
export const MALFORMED_WINDOW_MS = 10_000;
export const MAX_MALFORMED_PER_WINDOW = 100;
/** Addresses that are remembered; beyond, the oldest is forgotten. */
export const MAX_MALFORMED_ADDRESSES = 10_000;
