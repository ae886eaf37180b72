#!/usr/bin/env node
import 'reflect-metadata';
import { createLogger, onShutdownSignal, readConfigOrExit } from '@kworkbench/service-host';
import { coordinatorConfigSchema } from './config.js';
import { Coordinator } from './coordinator.js';

const EXIT_INTERNAL = 1;

const config = readConfigOrExit(coordinatorConfigSchema);
const log = createLogger('coordinator', config.KWB_LOG_LEVEL);
try {
  const coordinator = new Coordinator(config, log);
  onShutdownSignal(log, () => coordinator.stop());
  await coordinator.start();
} catch (error) {
  log.fatal({ err: (error as Error).message }, 'cannot start');
  process.exit(EXIT_INTERNAL);
}
