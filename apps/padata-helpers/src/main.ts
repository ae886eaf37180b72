#!/usr/bin/env node
// The service of the `padata` mechanism: pages pinned by one thread and by many.
import { padata } from '@kworkbench/padata';
import { runMechanismService } from '@kworkbench/service-host';

await runMechanismService(padata);
