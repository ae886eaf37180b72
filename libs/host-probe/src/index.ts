// Everything that touches the real host. Imported by the CLI's doctor, and later by the live parts of mechanisms.
export * from './host.js';
export * from './procfs.js';
export * from './tools.js';
