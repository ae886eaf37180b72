#!/usr/bin/env node
// The service of the `reuseport` mechanism: listeners that close, and the connections in their queues.
import { reuseport } from '@kworkbench/reuseport';
import { runMechanismService } from '@kworkbench/service-host';

await runMechanismService(reuseport);
