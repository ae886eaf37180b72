export type { ReuseportIdea } from './idea.js';
export { kernelSchema, type ReuseportKernel } from './kernel.js';
export { reuseport } from './mechanism.js';
export { metrics } from './metrics.js';
export {
  type AttachedPolicy,
  type MigPoint,
  type Policy,
  PolicyBudgetExceeded,
  type PolicyContext,
  type PolicyListener,
  type Verdict,
} from './policy/policy.js';
export { policySchema, type Rules, rulesSchema } from './policy/schema.js';
export { profiles } from './profiles.js';
export { published } from './published.js';
export { simulate, simulateWithPolicy } from './simulate.js';
export { variants } from './variants.js';
export { type ReuseportWorkload, workloadSchema } from './workloads.js';
