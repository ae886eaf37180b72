// include/net/ip_vs.h: how the two seconds are cut, and how much work a chain, a tick and a kthread may have.

/** Rows of a kthread; each is estimated once in two seconds. */
export const IPVS_EST_NTICKS = 50;
/** Share of a tick that work may take is 1 in this. */
export const IPVS_EST_LOAD_DIVISOR = 8;
/** Chains of 100 us in a tick: 2 s * 1000 * 10 / 8 / 50, rounded down to a multiple of 8. */
export const IPVS_EST_CHAIN_FACTOR =
  Math.floor(Math.floor((2 * 1000 * 10) / IPVS_EST_LOAD_DIVISOR / IPVS_EST_NTICKS) / 8) * 8;
/** What a chain may take: the calculation aims at this, and so at 5 us less than the 100. */
export const CHAIN_GOAL_NS = 95_000;
/** Of a CPU, kthreads may take half: so many of them per CPU in est_cpulist. */
export const KTHREADS_PER_CPU = IPVS_EST_LOAD_DIVISOR / 2;

/** IPVS_EST_TICK in jiffies; integer arithmetic of C. */
export const estTickJiffies = (hz: number): number => Math.floor((2 * hz) / IPVS_EST_NTICKS);

/** IPVS_EST_TICK_CHAINS */
export const tickChains = (preemptRcu: boolean): number => (preemptRcu ? 1 : IPVS_EST_CHAIN_FACTOR);

export interface EstLimits {
  readonly tickChains: number;
  readonly chainMax: number;
  readonly tickMax: number;
  readonly maxCount: number;
}

/** ip_vs_est_set_params(): `length` is the calculated length of a chain of 100 us; 0 while nobody has calculated it. */
export function estLimits(length: number, chains: number): EstLimits {
  const chainMax = chains === 1 ? length * IPVS_EST_CHAIN_FACTOR : length;
  const tickMax = chains * chainMax;
  return { tickChains: chains, chainMax, tickMax, maxCount: IPVS_EST_NTICKS * tickMax };
}

/** IPVS_EST_MAX_COUNT of v1, spread over the rows. */
const V1_MAX_COUNT = 32_768;

/** The fixed limits of v1: one chain in a tick. */
export const v1Limits: EstLimits = {
  tickChains: 1,
  chainMax: Math.ceil(V1_MAX_COUNT / IPVS_EST_NTICKS),
  tickMax: Math.ceil(V1_MAX_COUNT / IPVS_EST_NTICKS),
  maxCount: V1_MAX_COUNT,
};

/** Length of a chain for one measured result: ns of one pass as the calculation counts it. */
export const chainLength = (measuredNs: number): number =>
  measuredNs <= CHAIN_GOAL_NS ? Math.floor(CHAIN_GOAL_NS / Math.max(1, Math.floor(measuredNs))) : 1;
