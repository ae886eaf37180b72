#!/usr/bin/env node
// The service of the `conntrack` mechanism: the cleaner thread, the global lock, and what removing it buys.
import { conntrack } from '@kworkbench/conntrack';
import { runMechanismService } from '@kworkbench/service-host';

await runMechanismService(conntrack);
