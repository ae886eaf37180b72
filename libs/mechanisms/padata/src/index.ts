export { kernelSchema, type PadataKernel } from './kernel.js';
export { metrics } from './metrics.js';
export { profiles } from './profiles.js';
export { published } from './published.js';
export { variants } from './variants.js';
export { workloadSchema, type PadataWorkload } from './workloads.js';
export { padata } from './mechanism.js';
export { simulate } from './simulate.js';
