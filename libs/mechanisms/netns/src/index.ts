export { kernelSchema, type NetnsKernel } from './kernel.js';
export { metrics } from './metrics.js';
export { profiles } from './profiles.js';
export { published } from './published.js';
export { variants } from './variants.js';
export { workloadSchema, type NetnsWorkload } from './workloads.js';
export { netns } from './mechanism.js';
export { simulate } from './simulate.js';
