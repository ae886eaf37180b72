// What a job is made of: a function that works on one chunk (thread_fn), and one that takes back what it did (undo_fn).
//
// A chunk works in steps: yield what step() returns until that is DONE, then look at `error`. Before it reports an error
// it has undone its own part.
import type { Mutex, Task, TaskBody } from '@kworkbench/machine';
import type { Range } from '../job/undo.js';

/** 0, or the errno that the caller sees. */
export const enum Errno {
  None = 0,
  Intr = 4,
  NoMem = 12,
  Fault = 14,
}

export interface ChunkWork {
  error: Errno;
  step(): number;
}

export interface ThreadFn {
  /**
   * @param helper whether the task is one: not the task that called for the job.
   * @param workers how many there are.
   * @returns an object that the worker uses for one chunk after the other.
   */
  worker(task: Task, helper: boolean, workers: number): { begin(start: number, end: number): ChunkWork };
  /** undo_fn: called by the main thread when nobody works any more; undefined: there is nothing to undo. */
  readonly undo?: (range: Range) => TaskBody;
}

export interface JobSpec {
  readonly name: string;
  readonly fn: ThreadFn;
  readonly start: number;
  readonly size: number;
  readonly align: number;
  readonly minChunk: number;
  readonly maxThreads: number;
  /** What each chunk is worked on under. */
  readonly chunkLock?: Mutex;
}

/** Who takes chunks of a job. */
export interface Worker {
  /** 0 is the caller. */
  readonly index: number;
  /** After each chunk. @returns whether it takes another one. */
  chunkDone(): boolean;
}
