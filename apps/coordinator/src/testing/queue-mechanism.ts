// The small mechanism that libs/experiment is tested with, for processes of these tests: its cells are quick, and its
// faults (`hang`, `throw`) come when they are asked for. It is compiled there, but not exported to products.
import type { Mechanism } from '@kworkbench/mechanism';

export const QUEUE_MECHANISM_URL = new URL(
  './testing/queue-mechanism.js',
  import.meta.resolve('@kworkbench/experiment'),
).href;

export async function queueMechanism(): Promise<Mechanism> {
  // Under vitest the package resolves to its sources; processes and threads always run what is compiled.
  const { queueMechanism } = (await import(QUEUE_MECHANISM_URL.replace('/src/', '/dist/'))) as {
    queueMechanism: Mechanism;
  };
  return queueMechanism;
}
