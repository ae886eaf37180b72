export { type IpvsKernel, kernelSchema } from './kernel.js';
export { metrics } from './metrics.js';
export { profiles } from './profiles.js';
export { published } from './published.js';
export { variants } from './variants.js';
export { type IpvsWorkload, workloadSchema } from './workloads.js';
export { ipvs } from './mechanism.js';
export { simulate } from './simulate.js';
