export * from './cells.js';
export * from './describe-declaration.js';
