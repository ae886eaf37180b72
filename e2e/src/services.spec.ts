import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker, prepareDocker, withoutReaperIfAbsent } from './docker.js';
import { kwb, kwbRun } from './kwb.js';
import { outcome, parseReport, type Report } from './report.js';
import { Stack } from './stack.js';

/** Small enough for a test, large enough for the mechanism to be at work in every cell. */
const EXPERIMENT = ['netns-unshare-storm', '--set', 'workload.cycles=5000', '--replications', '2'];

describe('the services on a real engine', () => {
  let stack: Stack;
  let local: Report;

  beforeAll(async () => {
    await prepareDocker();
    withoutReaperIfAbsent();
    stack = await Stack.start(2);
    local = parseReport(await kwbRun(...EXPERIMENT, '--json', '-', '--quiet'));
  });

  afterAll(async () => {
    await stack?.stop();
  });

  it('compute what one process on this machine computes, to the last digest', async () => {
    const submitted = await kwb(['submit', ...EXPERIMENT, '--coordinator', stack.grpcAddress]);
    expect(submitted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S+\n$/) });
    const id = submitted.stdout.trim();

    const watched = await kwb(['watch', id, '--coordinator', stack.grpcAddress]);
    expect(watched.stderr + watched.stdout).toContain(id);

    const reported = await kwb(['report', id, '--json', '-', '--coordinator', stack.grpcAddress]);
    const remote = parseReport(reported);
    expect(remote.cells.length).toBeGreaterThanOrEqual(4);
    expect(outcome(remote)).toEqual(outcome(local));
    expect(remote.verdict).toBe(local.verdict);
    // The exit code is the verdict's, whoever computed it.
    expect(watched.code).toBe(reported.code);
  });

  it.each([
    ['conntrack-benchmark', '--set', 'workload.packets=2000', '--replications', '1'],
    ['ipvs-k8s-50k', '--set', 'workload.services=2000', '--set', 'workload.duration=12', '--replications', '1'],
    ['padata-undo', '--set', 'workload.guest=10GiB', '--sweep', 'workload.errorPages=1000', '--replications', '1'],
    ['reuseport-reload', '--set', 'workload.reloads=5', '--replications', '1'],
  ])('compute %s as one process on this machine does', async (...experiment) => {
    const here = parseReport(await kwbRun(...experiment, '--json', '-', '--quiet'));
    const there = await kwb(['submit', ...experiment, '--watch', '--json', '-', '--coordinator', stack.grpcAddress]);
    expect(outcome(parseReport(there))).toEqual(outcome(here));
  });

  it('know the cells of an experiment that was run before and do not run them again', async () => {
    const repeated = await kwb(['submit', ...EXPERIMENT, '--watch', '--json', '-', '--coordinator', stack.grpcAddress]);
    expect(outcome(parseReport(repeated))).toEqual(outcome(local));
  });

  it('tell health, readiness and metrics over HTTP', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(stack.httpUrl + path)).status).toBe(200);
    expect(await (await fetch(`${stack.httpUrl}/metrics`)).text()).toMatch(/^kwb_|^# HELP/m);
  });

  it('leave no container and no network behind', async () => {
    const { containerIds, networkId } = stack;
    await stack.stop();
    const left = docker('container', 'ls', '--all', '--quiet', '--no-trunc').split('\n');
    expect(left.filter((id) => containerIds.includes(id))).toEqual([]);
    expect(docker('network', 'ls', '--quiet', '--no-trunc').split('\n')).not.toContain(networkId);
  });
});
