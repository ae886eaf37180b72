// The container's health check: exit code 0 when the service inside says that it is ready.
// The image has no shell and no curl, so it is Node's own fetch that asks.
const TIMEOUT_MS = 4000; // below the time-out of the engine's check (5 s), so that this line is what one reads
const url = `http://127.0.0.1:${process.env.KWB_HTTP_PORT ?? 8080}/readyz`;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) console.error(`${url}: ${answer.status} ${await answer.text()}`);
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.error(`${url}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
