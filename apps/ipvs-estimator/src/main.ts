#!/usr/bin/env node
// The service of the `ipvs` mechanism: estimation of IPVS rates, by a timer and by kthreads.
import { ipvs } from '@kworkbench/ipvs';
import { runMechanismService } from '@kworkbench/service-host';

await runMechanismService(ipvs);
