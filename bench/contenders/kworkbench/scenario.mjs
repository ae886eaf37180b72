// One cell of netns-unshare-storm through the built mechanism: machine seconds per CPU second, and peak memory.
// The same cell as `kwb run` plans it; the telemetry goes nowhere, and the digest is not taken.
import { join } from 'node:path';
import { planRound, readScenario } from '@kworkbench/experiment';
import { netns } from '@kworkbench/netns';
import { parameters } from './shared.mjs';

const { benchmark, variant } = parameters();
const file = join(import.meta.dirname, '../../../scenarios/netns-unshare-storm.yaml');
const planned = planRound(readScenario(file), new Map()).find((cell) => cell.variant === variant);

let frames = 0;
const before = process.cpuUsage();
const outcome = netns.simulate(planned.cell, { header() {}, frame: () => frames++ });
const { user, system } = process.cpuUsage(before);

console.log(
  JSON.stringify({
    benchmark,
    size: planned.cell.workload.cycles,
    operations: outcome.virtualSeconds,
    cpuSeconds: (user + system) / 1e6,
    events: outcome.events,
    frames,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    loopSeconds: outcome.metrics.loop_seconds,
  }),
);
