// What is injected. One flat schema for all kinds, so that every parameter has one path in a scenario file.
import { durationSeconds, integer, ratePerSecond } from '@kworkbench/mechanism';
import { z } from 'zod';

const MAX_THREADS = 256;
/** NETDEV_MAX_BURST */
const MAX_BATCH = 32;

export const workloadSchema = z.strictObject({
  kind: z
    .enum(['benchmark', 'churn', 'synFlood', 'established', 'massExpiry', 'zones', 'policies', 'flush'])
    .default('benchmark')
    .describe(
      'benchmark: `ovstest test-conntrack benchmark N P B` (W1, W9); churn: new flows of a few packets (W2); synFlood: ' +
        'tuples that come once (W3); established: Zipf over `connections`, 2 % new (W4); massExpiry: `connections` expire ' +
        'together beside one established flow a thread (W5); zones: limits of zones at 90 % of the demand (W6); policies: ' +
        'timeouts of zones replaced all the time (W7); flush: the whole table flushed (W8)',
    ),
  threads: integer(1, MAX_THREADS).default(4).describe('Packet threads (PMDs)'),
  packets: integer(1, 100_000_000)
    .default(3_000_000)
    .describe('Packets per thread (kind benchmark); the others run for `duration`'),
  batch: integer(1, MAX_BATCH).default(32).describe('Packets handed to conntrack in one call'),
  connections: integer(1, 4_000_000)
    .default(1)
    .describe('benchmark: per thread, up to the batch; otherwise what is in the table at the begin'),
  duration: durationSeconds().default(10).describe('How long packets come (all kinds but benchmark)'),
  packetRate: ratePerSecond()
    .default(100_000)
    .describe('Packets per second and thread (all kinds but benchmark, which goes as fast as it can)'),
  newRatio: z.number().min(0).max(1).default(0.02).describe('Share of packets that open a flow (kind established)'),
  flowPackets: integer(1, 255).default(5).describe('Packets of a new flow (kinds churn, zones, policies)'),
  protocol: z.enum(['udp', 'tcp']).default('udp').describe('Of new flows'),
  timeout: durationSeconds().default(0).describe('One timeout for every kind; 0: the defaults of Open vSwitch'),
  expireAfter: durationSeconds().default(3).describe('When the connections of massExpiry expire'),
  shared: z.boolean().default(false).describe('All threads send packets of the same flows'),
  nat: z.boolean().default(false).describe('New flows need a free port: a search under the lock where it was'),
  natPorts: integer(1, 65_536).default(32_768).describe('Ports to translate to'),
  zones: integer(1, 4096).default(1).describe('Zones that flows are spread over'),
  adminRate: ratePerSecond().default(10).describe('Operations per second on zone limits or policies'),
  flushAt: durationSeconds().default(1).describe('When the table is flushed (kind flush)'),
  packetCpus: integer(0, 4096).default(0).describe('Packet threads share the first so many CPUs; 0: one each'),
  pinned: z.boolean().default(true).describe('Bind each packet thread to its CPU; otherwise the scheduler places them'),
});

export type ConntrackWorkload = z.output<typeof workloadSchema>;
