// One job (struct padata_mt_job_state): its chunks, its first error, who failed, and what each worker did.
import { DONE, invariant, type LockMap, type Task, type TaskBody } from '@kworkbench/machine';
import { Cap } from '../job/caps.js';
import { Dispenser, type JobSplit } from '../job/split.js';
import { type Range, undoRanges } from '../job/undo.js';
import type { Helper } from './helper.js';
import { Errno, type JobSpec, type Worker } from './thread-fn.js';

export interface WorkerRecord {
  chunks: number;
  size: number;
  cpuNs: number;
}

export class Job {
  requested = 0;
  cap = Cap.Size;
  helpers: readonly Helper[] = [];
  /** Helpers that have not finished. */
  running = 0;
  error = Errno.None;
  failedChunks = 0;
  undoneSize = 0;
  /** From the caller's last chunk until the last helper has finished. */
  waitNs = 0;
  /** CPU time of helpers that the caller's weight has not been charged for. */
  weightOwedNs = 0;
  workers: WorkerRecord[] = [];
  dispenser!: Dispenser;
  private readonly failed: Range[] = [];

  constructor(
    readonly spec: JobSpec,
    /** Without it errors stop nothing and are lost (patch 2). */
    private readonly firstError: boolean,
    /** How long a worker is at the job lock and at the dispenser for one chunk. */
    private readonly chunkNs: number,
  ) {}

  /** @param design in place of chunks of one length. */
  begin(helpers: readonly Helper[], chunk: number, design?: JobSplit): void {
    this.helpers = helpers;
    this.running = helpers.length;
    const { start, size, align } = this.spec;
    this.dispenser = new Dispenser(start, size, chunk, design && { design, align });
    this.workers = Array.from({ length: 1 + helpers.length }, () => ({ chunks: 0, size: 0, cpuNs: 0 }));
  }

  /** padata_mt_helper() without what is around it: chunk after chunk, until nothing is left or an error was noted. */
  *work(task: Task, worker: Worker, map: LockMap | undefined): TaskBody {
    const { fn, chunkLock } = this.spec;
    const { index } = worker;
    const chunks = fn.worker(task, index > 0, this.workers.length);
    for (;;) {
      const start = this.dispenser.position;
      const length = this.dispenser.take(index);
      if (length === 0) break;
      invariant(this.error === Errno.None || !this.firstError, 'padata: a chunk after an error');
      if (this.chunkNs > 0) yield this.chunkNs;
      if (chunkLock !== undefined) yield* chunkLock.lock();
      map?.acquire();
      const chunk = chunks.begin(start, start + length);
      for (let wait; (wait = chunk.step()) !== DONE;) yield wait;
      map?.release();
      chunkLock?.unlock();
      this.chunkDone(index, length, task);
      const goesOn = worker.chunkDone();
      this.note(chunk.error, { start, end: start + length }, false);
      if (chunk.error !== Errno.None || !goesOn) break;
    }
  }

  chunkDone(index: number, size: number, task: Task): void {
    const record = this.workers[index]!;
    record.chunks++;
    record.size += size;
    record.cpuNs = task.cpuTimeNs;
  }

  /** The first error in time is the job's; from then on nothing is handed out. */
  note(error: Errno, range: Range, whole: boolean): void {
    if (error === Errno.None) return;
    this.failedChunks++;
    this.failed.push(range);
    if (whole) this.error = error;
    if (!this.firstError || this.error !== Errno.None) return;
    this.error = error;
    this.dispenser.stop();
  }

  undoRanges(): Range[] {
    return undoRanges(this.spec.start, this.dispenser.position, this.failed);
  }
}
