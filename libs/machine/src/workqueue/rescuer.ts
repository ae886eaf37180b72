// The rescuer of a WQ_MEM_RECLAIM workqueue: a worker that exists from the start, for when a pool cannot create one in
// time because memory is short. It does the items of its own queue that are stuck in that pool (rescuer_thread()).
import { Deque } from '../deque.js';
import type { Machine } from '../machine.js';
import { MIGRATE, PARK, type TaskBody } from '../sched/task.js';
import type { PoolQueue } from './pool-queue.js';
import { Worker } from './worker.js';

export class Rescuer {
  rescued = 0;
  private worker: Worker | undefined = undefined;
  private readonly maydays = new Deque<PoolQueue>();

  constructor(
    private readonly machine: Machine,
    private readonly name: string,
  ) {}

  /** send_mayday(). */
  mayday(queue: PoolQueue): void {
    if (queue.mayday) return;
    queue.mayday = true;
    this.maydays.push(queue);
    this.worker ??= this.start(queue);
    this.machine.wake(this.worker.task);
  }

  private start(queue: PoolQueue): Worker {
    const worker = new Worker(queue.pool);
    worker.task = this.machine.spawn(`kworker/R-${this.name}`, () => this.loop(worker), {
      hooks: worker,
      asleep: true,
    });
    worker.task.parked = true;
    // RESCUER_NICE_LEVEL.
    this.machine.scheduler.renice(worker.task, -20);
    return worker;
  }

  private *loop(worker: Worker): TaskBody {
    const { task } = worker;
    for (;;) {
      for (let queue = this.maydays.shift(); queue !== undefined; queue = this.maydays.shift()) {
        queue.mayday = false;
        worker.pool = queue.pool;
        if (queue.pool.cpu !== undefined) {
          task.cpu = queue.pool.cpu;
          yield MIGRATE;
        }
        yield* this.rescue(worker, queue);
        // It leaves the pool; what else is there is for the pool's own workers.
        queue.pool.wakeIfNeeded();
      }
      yield PARK;
    }
  }

  private *rescue(worker: Worker, queue: PoolQueue): TaskBody {
    const { worklist } = queue.pool;
    for (let at = 0; at < worklist.length;) {
      const work = worklist.at(at);
      if (work.queue !== queue) {
        at++;
        continue;
      }
      worklist.remove(work);
      let next = queue.pool.assign(work);
      for (; next !== undefined; next = worker.scheduled.shift()) {
        this.rescued++;
        worker.begin(next);
        yield* next.run();
        worker.end(next);
      }
      // The list has changed meanwhile.
      at = 0;
    }
  }
}
