#!/usr/bin/env node
// The service of the `netns` mechanism: network namespaces torn down, before and after.
import { netns } from '@kworkbench/netns';
import { runMechanismService } from '@kworkbench/service-host';

await runMechanismService(netns);
