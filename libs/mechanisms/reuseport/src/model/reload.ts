// User space: who listens, who accepts, and in which order listeners are closed.
import { invariant, type Machine, PARK, type Task, type TaskBody } from '@kworkbench/machine';
import type { ReuseportWorkload } from '../workloads.js';
import type { Arrivals } from './arrivals.js';
import type { ListenStop } from './listen-stop.js';
import type { Listener, ListenerOptions } from './listener.js';
import { listenerNumber } from './names.js';
import { secondsToRetransmissions } from './synack-timer.js';
import type { TcpStack } from './tcp-stack.js';
import { accepted, Worker } from './worker.js';

/** After the last SYN of a fill, on top of two round trips: handshakes under way end. */
const SETTLE_NS = 200_000;

/** The order in which a generation is closed. */
export function closeOrder(order: string, generation: readonly Listener[]): readonly Listener[] {
  if (order === 'reverse') return generation.toReversed();
  if (order !== 'mixed') return generation;
  return [...generation.filter((_, i) => i % 2 === 0), ...generation.filter((_, i) => i % 2 === 1)];
}

export const namesOf = (list: string): readonly string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const isOrder = (close: string): boolean => close === 'inOrder' || close === 'reverse' || close === 'mixed';

export interface ReloadEvents {
  /** After the closes of a reload. */
  closed(): void;
  ended(): void;
}

export class Reload {
  reloads = 0;
  ended = false;
  private readonly byNumber: Listener[] = [];
  private readonly workers = new Map<Listener, Worker[]>();
  private generation = 0;
  private closes = 0;
  private task!: Task;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
    private readonly workload: ReuseportWorkload,
    private readonly arrivals: Arrivals,
    private readonly listenStop: ListenStop,
    private readonly events: ReloadEvents,
  ) {}

  start(): void {
    this.task = this.machine.spawn('reload', () =>
      this.workload.kind === 'queues' ? this.queues() : this.reloading(),
    );
  }

  /** Listeners by their number, closed ones too. */
  listenerOf(name: string): Listener | undefined {
    return this.byNumber[listenerNumber(name) ?? -1];
  }

  /** Workers of a listener that live. */
  workersOf(sk: Listener): readonly Worker[] {
    return this.workers.get(sk) ?? [];
  }

  private *queues(): TaskBody {
    const { machine, workload, arrivals } = this;
    const old = yield* this.listen(this.listenersOf(workload.oldListeners));
    if (workload.accepting === 'always') this.employ(old, workload.oldListeners);
    arrivals.start();
    while (!arrivals.ended) yield machine.sleep(SETTLE_NS);
    yield machine.sleep(SETTLE_NS + 2e9 * workload.rtt + 1e9 * workload.closeAfter);
    const late = workload.gap > 0;
    const taken = this.handsOver ? old : [];
    const next = late || this.handsOver ? [] : yield* this.listen(workload.newListeners);
    if (workload.accepting === 'always') this.employ(next, workload.newListeners);
    const named = isOrder(workload.close)
      ? closeOrder(workload.close, old)
      : namesOf(workload.close).map((name) => this.byNumber[listenerNumber(name)!]!);
    yield* this.retire(named);
    for (const name of namesOf(workload.relisten)) this.stack.relisten(this.byNumber[listenerNumber(name)!]!);
    if (late && !this.handsOver) {
      yield machine.sleep(1e9 * workload.gap);
      yield* this.listen(workload.newListeners);
    }
    yield machine.sleep(1e9 * workload.acceptAfter);
    this.employ(taken, Math.max(1, workload.newListeners));
    for (const sk of this.stack.listeners) if (sk.listening && this.workersOf(sk).length === 0) this.employ([sk], 1);
    this.end();
  }

  private *reloading(): TaskBody {
    const { machine, workload, arrivals } = this;
    let current = yield* this.listen(this.listenersOf(workload.oldListeners));
    this.employ(current, workload.oldListeners);
    arrivals.start();
    for (let reload = 1; reload <= workload.reloads; reload++) {
      yield machine.sleep(reload * workload.period * 1e9 - machine.nowNs);
      current = yield* this.replace(current);
    }
    this.end();
  }

  /** One reload. @returns the generation that listens now. */
  private *replace(old: readonly Listener[]): Generator<number, readonly Listener[], void> {
    const { machine, workload } = this;
    if (this.handsOver) {
      const before = old.flatMap((sk) => this.workersOf(sk));
      this.employ(old, workload.newListeners);
      yield machine.sleep(1e9 * workload.overlap);
      for (const worker of before) this.dismiss(worker);
      this.closesDone();
      return old;
    }
    const late = workload.gap > 0;
    let next = late ? [] : yield* this.listen(workload.newListeners);
    this.employ(next, next.length);
    yield machine.sleep(1e9 * workload.overlap);
    yield* this.retire(closeOrder(workload.close, old));
    if (late) {
      yield machine.sleep(1e9 * workload.gap);
      next = yield* this.listen(workload.newListeners);
      this.employ(next, next.length);
    }
    return next;
  }

  /** Listeners stay open: new workers have them from the old ones. */
  private get handsOver(): boolean {
    const { reload } = this.stack.kernel;
    return reload === 'fdHandoff' || reload === 'sharedSocket';
  }

  private listenersOf(count: number): number {
    return this.stack.kernel.reload === 'sharedSocket' ? 1 : count;
  }

  private *listen(count: number): Generator<number, readonly Listener[], void> {
    const options = this.optionsOf(this.generation);
    const made: Listener[] = [];
    for (let i = 0; i < count; i++) {
      yield this.stack.costs.listenNs;
      const sk = this.stack.listen(this.generation, options);
      this.byNumber.push(sk);
      made.push(sk);
    }
    this.generation++;
    return made;
  }

  private optionsOf(generation: number): ListenerOptions {
    const { backlog, newBacklog, saveSyn, fastOpen, deferAccept } = this.workload;
    const first = generation === 0;
    return {
      limit: first || newBacklog === 0 ? backlog : newBacklog,
      saveSyn: saveSyn === 'all' || saveSyn === (first ? 'first' : 'later'),
      fastOpen,
      deferAccept: secondsToRetransmissions(deferAccept),
    };
  }

  /** Starts `count` workers, spread over the listeners. */
  private employ(listeners: readonly Listener[], count: number): void {
    if (listeners.length === 0) return;
    for (let i = 0; i < Math.max(count, listeners.length); i++) {
      const sk = listeners[i % listeners.length]!;
      const cpu = (sk.number + i) % this.machine.cpus.length;
      const worker = new Worker(this.machine, this.stack, sk, `worker/${sk.name}`, cpu);
      const workers = this.workers.get(sk);
      if (workers === undefined) this.workers.set(sk, [worker]);
      else workers.push(worker);
    }
  }

  private dismiss(worker: Worker): void {
    worker.stop();
    const workers = this.workers.get(worker.listener)!;
    workers.splice(workers.indexOf(worker), 1);
    if (workers.length === 0) this.workers.delete(worker.listener);
  }

  private dismissAll(sk: Listener): void {
    for (const worker of this.workersOf(sk)) worker.stop();
    this.workers.delete(sk);
  }

  /** Closes listeners, in their order, by as many threads as there are closers. */
  private *retire(listeners: readonly Listener[]): TaskBody {
    const { machine, stack, workload } = this;
    if (this.handsOver) {
      for (const sk of listeners) this.dismissAll(sk);
      this.closesDone();
      return;
    }
    if (stack.kernel.reload === 'drain') {
      for (const sk of listeners) sk.draining = true;
      yield machine.sleep(1e9 * stack.kernel.drainTime);
    }
    if (workload.stopAhead > 0) {
      for (const sk of listeners) this.dismissAll(sk);
      yield machine.sleep(1e9 * workload.stopAhead);
    }
    const closers = Math.min(workload.closers, listeners.length);
    let left = closers;
    for (let closer = 0; closer < closers; closer++) {
      const own = listeners.filter((_, i) => i % closers === closer);
      const done = (): void => {
        if (--left === 0) machine.wake(this.task);
      };
      machine.spawn(`closer/${closer}`, () => this.closer(own, done), {
        near: machine.cpus[closer % machine.cpus.length]!,
      });
    }
    while (left > 0) yield PARK;
    this.closesDone();
  }

  private *closer(listeners: readonly Listener[], done: () => void): TaskBody {
    const { machine, stack, workload, listenStop } = this;
    for (const [i, sk] of listeners.entries()) {
      if (i > 0) yield machine.sleep(1e9 * workload.closeInterval);
      this.dismissAll(sk);
      if (stack.kernel.reload === 'drain') yield* this.acceptAll(sk);
      yield* listenStop.close(sk, workload.closeHow === 'shutdown');
      if (++this.closes === workload.sysctlFlipAfter) stack.migrateReq = 1 - stack.migrateReq;
    }
    done();
  }

  /** accept() until EAGAIN. */
  private *acceptAll(sk: Listener): TaskBody {
    for (;;) {
      yield this.stack.costs.acceptNs;
      for (let wait; (wait = sk.rskqLock.acquireBh()) !== 0;) yield wait;
      yield this.stack.costs.queueLockNs;
      const connection = sk.shift();
      sk.rskqLock.unlockBh();
      if (connection === undefined) return;
      accepted(this.stack, sk, connection);
    }
  }

  private closesDone(): void {
    this.reloads++;
    this.events.closed();
  }

  private end(): void {
    invariant(!this.ended, 'reload: it ends twice');
    this.ended = true;
    this.events.ended();
  }
}
