// The thread of Analyst: one question after the other, each with an answer or an error.
import { parentPort, workerData } from 'node:worker_threads';
import { registerMechanismsOf } from '@kworkbench/experiment';
import { StoreAnalysis } from './analysis.js';
import type { ThreadAnswer, ThreadData, ThreadQuestion } from './analyst.js';
import { openStore } from './store/index.js';

const { databaseUrl, mechanismModules } = workerData as ThreadData;
for (const url of mechanismModules) registerMechanismsOf((await import(url)) as Record<string, unknown>);
const analysis = new StoreAnalysis(openStore(databaseUrl));

async function answerTo({ number, method, args }: ThreadQuestion): Promise<ThreadAnswer> {
  try {
    const ask = analysis[method].bind(analysis) as (...args: unknown[]) => unknown;
    return { number, answer: await ask(...args) };
  } catch (error) {
    const { name, message, stack } = error as Error;
    return { number, error: { name, message, stack } };
  }
}

let last = Promise.resolve();
parentPort!.on('message', (question: ThreadQuestion) => {
  last = last.then(async () => parentPort!.postMessage(await answerTo(question)));
});
