// What is injected. One flat schema for all kinds, so that every parameter has one path in a scenario file.
import { durationSeconds, integer, ratePerSecond } from '@kworkbench/mechanism';
import { z } from 'zod';
import { policySchema } from './policy/schema.js';

/** Bounds a run to minutes of real time and the virtual clock to its exact range. */
export const MAX_CONNECTIONS = 20_000_000;
/** The group's array ends there. */
export const MAX_LISTENERS = 32_768;
/** Retransmission timers start at 1 s: a longer round trip would be retransmission alone. */
const MAX_RTT_SECONDS = 0.9;

const HASH = /^(0x)?[0-9a-f]{1,8}$/i;
const hash = z
  .union([integer(0, 0xffff_ffff), z.string().regex(HASH, { error: 'expected a hash such as 0x10000000' })])
  .transform((value) => (typeof value === 'number' ? value : Number.parseInt(value.replace(/^0x/i, ''), 16)));

export const workloadSchema = z.strictObject({
  kind: z
    .enum(['queues', 'reload'])
    .default('reload')
    .describe(
      'queues: fill accept queues, then close listeners (W1 to W3, W5 to W12); ' +
        'reload: connections at a rate while generations of workers replace each other (W4)',
    ),
  oldListeners: integer(1, MAX_LISTENERS).default(4).describe('Listeners at the start (the first generation)'),
  newListeners: integer(0, MAX_LISTENERS).default(4).describe('Listeners that each later generation adds'),
  connections: integer(0, MAX_CONNECTIONS)
    .default(0)
    .describe('Connections in all; 0: as many as come until the last reload (reload), 1000 (queues)'),
  rate: ratePerSecond().default(700).describe('Connections per second (reload); Poisson or paced'),
  arrivals: z.enum(['poisson', 'paced']).default('poisson'),
  service: durationSeconds().default(0.003).describe('Time that a worker spends on a connection after accept()'),
  serviceKind: z.enum(['wait', 'cpu']).default('wait').describe('Whether a worker sleeps meanwhile or computes'),
  reloads: integer(0, 1_000_000).default(27).describe('Reloads (reload)'),
  period: durationSeconds().default(0.25).describe('From one reload to the next'),
  overlap: durationSeconds().default(0.02).describe('New listeners listen that long before the old ones close'),
  gap: durationSeconds().default(0).describe('Above 0: new listeners listen only that long after the last close (W10)'),
  close: z
    .string()
    .default('inOrder')
    .describe('inOrder, reverse or mixed: the whole old generation; or names such as "A,B" (queues)'),
  closeInterval: durationSeconds().default(0).describe('From the end of a close to the next one of the same closer'),
  stopAhead: durationSeconds()
    .default(0)
    .describe(
      'Old workers stop to accept that long before the first close, as when they are joined one after the other',
    ),
  sysctlFlipAfter: integer(0, MAX_LISTENERS)
    .default(0)
    .describe('After so many closes net.ipv4.tcp_migrate_req changes to its other value; 0: never'),
  closers: integer(1, 4096).default(1).describe('Threads that share the closes'),
  closeHow: z
    .enum(['close', 'shutdown'])
    .default('close')
    .describe('shutdown() keeps the socket, which may listen again'),
  relisten: z.string().default('').describe('Names of shut-down listeners that listen again after the closes'),
  closeAfter: durationSeconds()
    .default(0)
    .describe('From the last SYN to the first close, on top of two round trips (queues)'),
  accepting: z.enum(['always', 'afterClose']).default('afterClose').describe('When workers begin to accept (queues)'),
  acceptAfter: durationSeconds().default(0).describe('From the last close until workers begin to accept (queues)'),
  backlog: integer(1, 1_000_000).default(511).describe('Limit of the queues of the first generation: listen(backlog)'),
  newBacklog: integer(0, 1_000_000).default(0).describe('Limit of later generations; 0: as the first'),
  rtt: durationSeconds()
    .refine((seconds) => seconds <= MAX_RTT_SECONDS, { error: `expected at most ${MAX_RTT_SECONDS}s` })
    .default(0)
    .describe('Round trip between clients and the machine; 0 is the loopback device'),
  loss: z.number().min(0).max(0.9).default(0).describe('Probability that a packet is lost, each way'),
  client: z
    .enum(['talks', 'silent'])
    .default('talks')
    .describe('Whether the client sends data once it is connected, or waits for the server to speak first'),
  dataDelay: durationSeconds().default(0).describe('From connect() to the first data of a client that talks'),
  patience: durationSeconds().default(0).describe('A client gives up when not accepted by then; 0: never'),
  dropAcksFor: durationSeconds()
    .default(0)
    .describe('Bare ACKs are dropped on arrival until then, as by a filter rule (W7)'),
  fastOpen: z.boolean().default(false).describe('TCP_FASTOPEN: SYNs carry data and are queued at once'),
  deferAccept: durationSeconds().default(0).describe('TCP_DEFER_ACCEPT of all listeners; 0 is off'),
  saveSyn: z
    .enum(['none', 'first', 'later', 'all'])
    .default('none')
    .describe('TCP_SAVE_SYN: which generations set it (W8)'),
  hashes: z.array(hash).max(100_000).default([]).describe('Hashes of the first connections; the others are drawn'),
  hashSource: z.enum(['mixed', 'even']).default('mixed').describe('Drawn from the seed, or evenly spaced'),
  maxSocks: integer(2, MAX_LISTENERS).default(128).describe('Slots that a group starts with (INIT_SOCKS)'),
  policy: policySchema.describe('A program attached to the group: a preset or rules'),
});

export type ReuseportWorkload = z.output<typeof workloadSchema>;
