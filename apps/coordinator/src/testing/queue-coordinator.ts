// A coordinator process that knows the test mechanism besides those of the build.
import { registerMechanism } from '@kworkbench/experiment';
import { queueMechanism } from './queue-mechanism.js';

registerMechanism(await queueMechanism());
await import('../main.js');
