// Clients that come: at a rate, or back to back to fill queues. One event a connection.
import type { Machine, RandomStream } from '@kworkbench/machine';
import type { ReuseportWorkload } from '../workloads.js';
import type { Client } from './client.js';
import { mix32, reciprocalScale, tupleHash } from './hash.js';

/** Between two connections that fill queues: a handshake on loopback takes 8 us of one CPU. */
const FILL_NS = 10_000;
/** Connections that fill queues, unless the workload says otherwise. */
const FILL_CONNECTIONS = 1_000;
/** Spreads receive queues by another hash than the one that picks listeners, as network cards do. */
const RSS_KEY = 0x6d5a56da;
const TWO_32 = 2 ** 32;

/** Connections that a cell starts. */
export function connectionsOf(workload: ReuseportWorkload): number {
  if (workload.connections > 0) return workload.connections;
  if (workload.kind === 'queues') return Math.max(FILL_CONNECTIONS, workload.hashes.length);
  return Math.round(workload.rate * workload.period * (workload.reloads + 1));
}

export class Arrivals {
  readonly total: number;
  started = 0;
  private readonly meanNs: number;
  private readonly poisson: boolean;
  private readonly actor: number;

  constructor(
    private readonly machine: Machine,
    private readonly workload: ReuseportWorkload,
    private readonly client: Client,
    private readonly random: RandomStream,
    /** Of the network namespace: tuples hash with it. */
    private readonly secret: number,
  ) {
    this.total = connectionsOf(workload);
    const fills = workload.kind === 'queues';
    this.poisson = !fills && workload.arrivals === 'poisson';
    this.meanNs = fills ? FILL_NS : 1e9 / workload.rate;
    this.actor = machine.addActor(() => this.next());
  }

  get ended(): boolean {
    return this.started === this.total;
  }

  start(): void {
    this.machine.schedule(0, this.actor, 0);
  }

  private next(): void {
    const number = this.started++;
    const hash = this.hashOf(number);
    const cpu = reciprocalScale(mix32(hash ^ RSS_KEY), this.machine.cpus.length);
    if (!this.ended) {
      const delayNs = this.poisson ? this.random.exponential(this.meanNs) : this.meanNs;
      this.machine.schedule(delayNs, this.actor, 0);
    }
    this.client.connect(number, hash, cpu);
  }

  private hashOf(number: number): number {
    const { hashes, hashSource } = this.workload;
    if (number < hashes.length) return hashes[number]!;
    if (hashSource === 'mixed') return tupleHash(this.secret, number);
    return Math.floor(((number + 0.5) / this.total) * TWO_32);
  }
}
