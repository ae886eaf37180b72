// A real server and real clients on a free port.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  status,
  type ClientDuplexStream,
  type GrpcObject,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  MechanismClient,
  TelemetryIngestService,
  type DescribeResponse,
  type PublishRequest,
  type TelemetryIngestServer,
} from '@kworkbench/contracts';
import type { CellResult } from '@kworkbench/experiment';
import type { Mechanism } from '@kworkbench/mechanism';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CellRunner } from './cell-runner.js';
import { GrpcHost, type HostedService } from './grpc-host.js';
import { GrpcProbe } from './grpc-probe.js';
import { mechanismGrpc } from './mechanism-grpc.js';
import { Publisher } from './publisher.js';

const mechanism = {
  name: 'toy',
  title: 'A toy',
  modelVersion: 3,
  variants: [{ id: 'before', title: 'b', source: 's', kernel: {} }],
  profiles: [],
  metrics: [{ name: 'x_total', unit: 'total', help: 'h', better: 'none' }],
  published: [],
  kernelSchema: z.strictObject({ batch: z.int().default(1) }),
  workloadSchema: z.strictObject({ items: z.int().default(1) }),
} as unknown as Mechanism;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function host(...services: HostedService[]): Promise<{ target: string; grpc: GrpcHost }> {
  const grpc = new GrpcHost(services);
  closers.push(() => grpc.close(1000));
  return { target: `127.0.0.1:${await grpc.listen('127.0.0.1', 0)}`, grpc };
}

const identity = { cellId: 'c', experimentId: 'e', mechanism: 'toy' };
const result: CellResult = {
  cellId: 'c',
  digest: 'd',
  wallSeconds: 1,
  metrics: { x_total: 1 },
  histograms: [],
  virtualSeconds: 1,
  events: 1,
};

function publisherTo(target: string): Publisher {
  const publisher = new Publisher(target, 'test');
  closers.push(() => publisher.close());
  return publisher;
}

/** An ingest that does with each call what a test wants. */
const ingest = (publish: TelemetryIngestServer['publish']): HostedService => ({
  definition: TelemetryIngestService,
  implementation: { publish },
});

describe('Mechanism', () => {
  it('describes itself and cancels cells', async () => {
    const runner = { cancel: (id: string) => id === 'here' } as unknown as CellRunner;
    const { target } = await host(mechanismGrpc(mechanism, runner));
    const client = new MechanismClient(target, credentials.createInsecure());
    closers.push(() => client.close());
    const description = await new Promise<DescribeResponse>((done, fail) =>
      client.describe({}, (e, r) => (e ? fail(e) : done(r))),
    );
    expect(description).toMatchObject({ name: 'toy', modelVersion: 3, metrics: [{ name: 'x_total', unit: 'total' }] });
    expect(JSON.parse(description.workloadSchemaJson)).toMatchObject({ properties: { items: { default: 1 } } });
    const cancel = (cellId: string) =>
      new Promise((done) => client.cancelCell({ cellId }, (e: ServiceError | null, r) => done(e ? e.details : r)));
    expect(await cancel('here')).toEqual({ wasRunning: true });
    expect(await cancel('elsewhere')).toEqual({ wasRunning: false });
    expect(await cancel('')).toBe('cell_id: expected a cell id, got ""');
  });
});

describe('health', () => {
  it('follows readiness, and a server that is away is said to be away', async () => {
    const { target, grpc } = await host(mechanismGrpc(mechanism, {} as CellRunner));
    const probe = new GrpcProbe(target);
    closers.push(() => probe.close());
    expect(await probe.problem('service')).toBe(`service at ${target}: is not ready (NOT_SERVING)`);
    grpc.setServing(true);
    expect(await probe.problem('service')).toBeUndefined();
    const nowhere = new GrpcProbe('127.0.0.1:1');
    closers.push(() => nowhere.close());
    expect(await nowhere.problem('service')).toContain('service at 127.0.0.1:1: ');
  });
});

describe('Publisher', () => {
  it('sends header, frames and end in order, and hands on the answer', async () => {
    const got: PublishRequest[] = [];
    const { target } = await host(
      ingest((call, callback) => {
        call.on('data', (message: PublishRequest) => got.push(message));
        call.on('end', () => callback(null, { result: 1, acknowledgedFrames: 2 }));
      }),
    );
    const publication = publisherTo(target).open(identity, 1000);
    publication.header({ tables: [{ name: 't', help: '', columns: [{ name: 'x', unit: 'count', help: '' }] }] });
    for (const sequence of [0, 1]) {
      await publication.frame({ sequence, table: 0, rows: 1, columns: [Float64Array.of(sequence)] });
    }
    expect(await publication.result(result)).toBe('committed');
    expect(got.map(({ part }) => part!.$case)).toEqual(['begin', 'header', 'frame', 'frame', 'end']);
    expect(got[0]!.part!.value).toMatchObject({ ...identity, instance: 'test' });
  });

  it('holds the cell back while the coordinator does not read, and goes on when it does', async () => {
    let read!: () => void;
    let frames = 0;
    const { target } = await host(
      ingest((call, callback) => {
        read = () => {
          call.on('data', (message: PublishRequest) => (frames += Number(message.part!.$case === 'frame')));
          call.on('end', () => callback(null, { result: 1, acknowledgedFrames: frames }));
        };
      }),
    );
    const publication = publisherTo(target).open(identity, 30_000);
    publication.header({ tables: [{ name: 't', help: '', columns: [{ name: 'x', unit: 'count', help: '' }] }] });
    const rows = 16_384; // 128 KiB: a few of them fill the window
    let sent = 0;
    let full: Promise<void> | undefined;
    const limit = Date.now() + 5_000;
    for (; !full && Date.now() < limit; sent++) {
      full = publication.frame({ sequence: sent, table: 0, rows, columns: [new Float64Array(rows)] });
    }
    expect(full).toBeInstanceOf(Promise);
    let drained = false;
    void full!.then(() => (drained = true));
    await new Promise((done) => setTimeout(done, 200));
    expect(drained).toBe(false);
    read();
    await full;
    expect(await publication.result(result)).toBe('committed');
    expect(frames).toBe(sent);
  });

  it.each([
    ['cancelled', { code: status.CANCELLED, details: 'nobody needs it' }, 'cancelled'],
    ['refused', { code: status.DATA_LOSS, details: 'digest differs' }, 'coordinator: digest differs'],
    ['unavailable', { code: status.UNAVAILABLE, details: 'database: away' }, 'coordinator: database: away'],
  ])('tells when it is %s before the end', async (_what, answer, expected) => {
    const { target } = await host(ingest((call, callback) => call.once('data', () => callback(answer))));
    const publication = publisherTo(target).open(identity, 1000);
    publication.header({ tables: [] });
    expect(await publication.answer.catch((error: Error) => error.message)).toBe(expected);
    expect(await publication.result(result).catch((error: Error) => error.message)).toBe(expected);
  });

  it('fails soon when there is no coordinator', async () => {
    const publication = publisherTo('127.0.0.1:1').open(identity, 60_000);
    publication.header({ tables: [] });
    await expect(publication.result(result)).rejects.toThrow('coordinator: ');
  });

  it('does not take its own giving up for a cancellation', async () => {
    const { target } = await host(ingest(() => {}));
    const publication = publisherTo(target).open(identity, 60_000);
    publication.giveUp();
    await expect(publication.answer).rejects.toThrow('coordinator: ');
  });
});

interface Listing {
  readonly listServicesResponse: { readonly service: readonly { readonly name: string }[] };
}

describe('reflection', () => {
  it('lists the services', async () => {
    const { target } = await host(mechanismGrpc(mechanism, {} as CellRunner));
    const root = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
    const loaded = loadPackageDefinition(loadSync(join(root, 'build/proto/grpc/reflection/v1/reflection.proto')));
    const Reflection = ['grpc', 'reflection', 'v1', 'ServerReflection'].reduce<GrpcObject>(
      (within, name) => within[name] as GrpcObject,
      loaded,
    ) as unknown as ServiceClientConstructor;
    const client = new Reflection(target, credentials.createInsecure());
    closers.push(() => client.close());
    const stream = client.serverReflectionInfo!(new Metadata()) as unknown as ClientDuplexStream<object, Listing>;
    const answer = await new Promise<Listing>((done, fail) => {
      stream.on('data', done);
      stream.on('error', fail);
      stream.write({ listServices: '' });
    });
    stream.end();
    const names = answer.listServicesResponse.service.map(({ name }) => name);
    expect(names).toContain('kworkbench.v1.Mechanism');
  });
});
