// A coordinator process that knows the test mechanism besides those of the build.
import { registerMechanism } from '@kworkbench/experiment';
import { analysisModules } from '../analyst.js';
import { QUEUE_MECHANISM_URL, queueMechanism } from './queue-mechanism.js';

analysisModules.push(QUEUE_MECHANISM_URL);
registerMechanism(await queueMechanism());
await import('../main.js');
