export * from './mechanism.js';
export * from './quantity.js';
