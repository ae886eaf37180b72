// What every service is as a process, without Redis and without a coordinator: it says what it is, and that it is not
// ready. Each service's spec names its mechanism and one design of it.
import { spawn, type ChildProcess } from 'node:child_process';
import { credentials } from '@grpc/grpc-js';
import { MechanismClient } from '@kworkbench/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './free-port.js';

/** A service is up within a second; a loaded machine takes longer. */
const START_LIMIT_MS = 30_000;

/** Until the hook's own time limit. */
async function alive(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** @param main path of the compiled program. */
export function describeService(service: string, main: string, mechanism: string, variant: string): void {
  describe(`${service} as a process`, () => {
    let child: ChildProcess;
    let http = '';
    let grpc = '';

    beforeAll(async () => {
      const [httpPort, grpcPort, nobody] = [await freePort(), await freePort(), await freePort()];
      http = `http://127.0.0.1:${httpPort}`;
      grpc = `127.0.0.1:${grpcPort}`;
      child = spawn(process.execPath, [main], {
        stdio: 'ignore',
        env: {
          ...process.env,
          KWB_REDIS_URL: `redis://127.0.0.1:${nobody}`,
          KWB_COORDINATOR_GRPC: `127.0.0.1:${nobody}`,
          KWB_HTTP_PORT: String(httpPort),
          KWB_GRPC_PORT: String(grpcPort),
          KWB_WORKERS: '1',
        },
      });
      await alive(`${http}/healthz`);
    }, START_LIMIT_MS);

    afterAll(() => {
      child.kill('SIGKILL');
    });

    it('is alive but not ready while Redis and the coordinator are away', async () => {
      expect((await fetch(`${http}/readyz`)).status).toBe(503);
    });

    it('describes the mechanism: variants, profiles with a basis per constant, published figures', async () => {
      const client = new MechanismClient(grpc, credentials.createInsecure());
      const description = await new Promise<{ name: string; variants: { id: string }[]; published: unknown[] }>(
        (resolve, reject) => client.describe({}, (error, answer) => (error ? reject(error) : resolve(answer))),
      );
      client.close();
      expect(description.name).toBe(mechanism);
      expect(description.variants.map(({ id }) => id)).toContain(variant);
      expect(description.published.length).toBeGreaterThan(0);
    });

    it('ends with exit code 0 on SIGTERM', async () => {
      const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    });
  });
}
