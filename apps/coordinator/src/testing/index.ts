// What tests of the whole system start and ask; for packages of tests only.
export * from './cluster.js';
export * from './processes.js';
export { freePort } from '@kworkbench/service-host/testing/free-port';
export { TemporaryPostgres } from '../store/testing/temporary-postgres.js';
