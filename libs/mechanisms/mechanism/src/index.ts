export * from './hosts/definition.js';
export * from './hosts/host.js';
export * from './hosts/machines.js';
export * from './hosts/own-machines.js';
export * from './instance.js';
export * from './mechanism.js';
export * from './quantity.js';
export * from './simulate-on-host.js';
