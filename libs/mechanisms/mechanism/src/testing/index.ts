export * from './cells.js';
export * from './describe-declaration.js';
export * from './describe-parameters.js';
