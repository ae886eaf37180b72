// What tests of the whole system start and ask; for packages of tests only.
export * from './cluster.js';
export * from './processes.js';
export { TemporaryPostgres } from '../store/testing/temporary-postgres.js';
