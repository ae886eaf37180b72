// A service process for the test mechanism.
import { runMechanismService } from '@kworkbench/service-host';
import { QUEUE_MECHANISM_URL, queueMechanism } from './queue-mechanism.js';

await runMechanismService(await queueMechanism(), { mechanismModules: [QUEUE_MECHANISM_URL] });
