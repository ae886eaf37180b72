import { join } from 'node:path';
import { freePort } from '@kworkbench/coordinator/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeCommand, docker, IMAGES, prepareDocker } from './docker.js';
import { kwb, kwbRun, plainEnvironment, run, runOrThrow, type Finished } from './kwb.js';
import { outcome, parseReport } from './report.js';
import { ROOT } from './root.js';

const EXPERIMENT = ['netns-unshare-storm', '--set', 'workload.cycles=5000', '--replications', '1'];
const PROJECT = `kwb-e2e-${process.pid}`;
/** Redis, PostgreSQL and both services, one after the other: about 25 s on two cores. */
const HEALTHY_TIMEOUT_MS = 120_000;
const POLL_MS = 1_000;
const SERVICES = [
  'conntrack-cleaner',
  'coordinator',
  'ipvs-estimator',
  'netns-teardown',
  'padata-helpers',
  'postgres',
  'redis',
  'reuseport-migrator',
];

describe('docker compose', () => {
  let environment: NodeJS.ProcessEnv;
  let coordinator: string;

  const compose = (...args: string[]): Promise<Finished> => {
    const [command, ...first] = composeCommand();
    const file = join(ROOT, 'docker-compose.yml');
    return runOrThrow(command, [...first, '--file', file, '--project-name', PROJECT, ...args], { env: environment });
  };
  /** `service: state`, for each container of the project. */
  const states = (): string[] => {
    const ids = docker('ps', '--all', '--quiet', '--filter', `label=com.docker.compose.project=${PROJECT}`);
    if (ids === '') return [];
    const format = '{{index .Config.Labels "com.docker.compose.service"}}: {{.State.Health.Status}}';
    return docker('inspect', '--format', format, ...ids.split('\n'))
      .split('\n')
      .toSorted();
  };

  beforeAll(async () => {
    await prepareDocker();
    const [http, grpc] = [await freePort(), await freePort()];
    coordinator = `127.0.0.1:${grpc}`;
    environment = {
      ...plainEnvironment(),
      KWB_IMAGE: IMAGES.kworkbench,
      KWB_COORDINATOR_HTTP_PORT: String(http),
      KWB_COORDINATOR_GRPC_PORT: String(grpc),
    };
    await compose('up', '--detach', '--no-build');
    const end = Date.now() + HEALTHY_TIMEOUT_MS;
    while (states().some((state) => !state.endsWith(': healthy'))) {
      if (Date.now() > end) {
        const logs = await compose('logs', '--tail=20');
        throw new Error(`not healthy after ${HEALTHY_TIMEOUT_MS / 1000} s: ${states().join(', ')}\n${logs.stdout}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  });

  afterAll(async () => {
    if (environment) await compose('down', '--volumes', '--remove-orphans', '--timeout', '15');
  });

  it('understands the file', async () => {
    expect((await compose('config', '--quiet')).code).toBe(0);
  });

  it('brings every service up healthy', () => {
    expect(states()).toEqual(SERVICES.map((service) => `${service}: healthy`));
  });

  it('keeps every container small and without rights', () => {
    const ids = docker('ps', '--quiet', '--filter', `label=com.docker.compose.project=${PROJECT}`).split('\n');
    for (const { Config, HostConfig, Name } of JSON.parse(docker('inspect', ...ids))) {
      expect({ Name, user: Config.User }).toEqual({ Name, user: expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/) });
      expect(HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        Privileged: false,
        Init: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        RestartPolicy: { Name: 'unless-stopped' },
      });
      expect(HostConfig.Memory).toBeGreaterThan(0);
      expect(HostConfig.NanoCpus).toBeGreaterThan(0);
      expect(HostConfig.PidsLimit).toBeGreaterThan(0);
      const published = Object.values(HostConfig.PortBindings as Record<string, { HostIp: string }[]>).flat();
      expect(published.map(({ HostIp }) => HostIp).filter((address) => address !== '127.0.0.1')).toEqual([]);
    }
  });

  it('runs an experiment with the digests of a local run', async () => {
    const remote = await kwb(['submit', ...EXPERIMENT, '--watch', '--json', '-', '--coordinator', coordinator]);
    const local = await kwbRun(...EXPERIMENT, '--json', '-', '--quiet');
    expect(outcome(parseReport(remote))).toEqual(outcome(parseReport(local)));
    expect(remote.code).toBe(local.code);
  });

  it('keeps the results when the containers are made anew', async () => {
    const submitted = await kwb(['submit', ...EXPERIMENT, '--key', 'kept', '--coordinator', coordinator]);
    const id = submitted.stdout.trim();
    const before = await kwb(['watch', id, '--quiet', '--json', '-', '--coordinator', coordinator]);
    await compose('up', '--detach', '--no-build', '--force-recreate', 'postgres', 'coordinator');
    const after = await waitForReport(id);
    expect(outcome(parseReport(after))).toEqual(outcome(parseReport(before)));
  });

  /** The coordinator needs a moment after it was made anew. */
  async function waitForReport(id: string): Promise<Finished> {
    const end = Date.now() + HEALTHY_TIMEOUT_MS;
    for (;;) {
      const report = await kwb(['report', id, '--json', '-', '--coordinator', coordinator]);
      if (report.stdout !== '' || Date.now() > end) return report;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  it('goes down without leaving a container, a network or a volume', async () => {
    await compose('down', '--volumes', '--timeout', '15');
    for (const kind of ['container', 'network', 'volume']) {
      const left = await run('docker', [
        kind,
        'ls',
        '--quiet',
        '--filter',
        `label=com.docker.compose.project=${PROJECT}`,
      ]);
      expect(left).toMatchObject({ code: 0, stdout: '' });
    }
  });
});
