export * from './canonical-json.js';
export * from './digest.js';
export * from './exporters.js';
export * from './histogram.js';
export * from './recorder.js';
export * from './sinks.js';
export * from './trace/trace-recorder.js';
export * from './types.js';
