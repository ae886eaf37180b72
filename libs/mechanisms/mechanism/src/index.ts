export * from './host.js';
export * from './instance.js';
export * from './mechanism.js';
export * from './quantity.js';
export * from './simulate-on-host.js';
