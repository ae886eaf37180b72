export { conntrack } from './mechanism.js';
export { type ConntrackKernel, kernelSchema } from './kernel.js';
export { metrics } from './metrics.js';
export { profiles } from './profiles.js';
export { published } from './published.js';
export { simulate } from './simulate.js';
export { variants } from './variants.js';
export { type ConntrackWorkload, workloadSchema } from './workloads.js';
