// The lock validator of kernel/locking/lockdep.c: learns from every run in which order classes of locks are taken, and
// reports what could hang, also when it did not.
//
//   circular      A was taken inside B, B inside A (or through others)
//   recursive     two locks of one class and subclass are nested: nothing says in which order
//   instance      as circular, but between these very locks: a true inversion, whatever their classes
//   atomic        a sleeping lock is taken where the task may not sleep (spinlock held, preemption or BH off, softirq)
//   softirq       a spinlock is taken in a softirq, and elsewhere with softirqs on: the softirq may spin on its own CPU
//
// Each finding is reported once. A trylock cannot wait, so nothing leads to it. Left out: read-recursive locks, and
// chains from softirq-safe to softirq-unsafe classes.
import type { Machine } from '../machine.js';
import { SchedClass, type Task } from '../sched/task.js';
import { LockClass } from './lock-class.js';
import { LockGraph } from './lock-graph.js';
import type { Lock } from './lock.js';
import { LockMode, type LockProbe } from './lock-probe.js';

export type LockReportKind = 'circular' | 'recursive' | 'instance' | 'atomic' | 'softirq';

export interface LockReport {
  readonly kind: LockReportKind;
  readonly timeNs: number;
  readonly task: string;
  /** The class, or for `instance` the lock, that was about to be taken. */
  readonly taking: string;
  /** Classes that the task held, outermost first. */
  readonly holding: readonly string[];
  /** circular, instance: from the one being taken along known orders to the one held. Otherwise empty. */
  readonly cycle: readonly string[];
}

export interface LockdepOptions {
  /** Also keeps the order of single locks: costs memory by lock, not by class. */
  readonly instances?: boolean;
}

/** Tasks that are remembered at least, whether they hold anything or not. */
const FORGET_ABOVE = 1024;

/** MAX_LOCKDEP_SUBCLASSES */
const SUBCLASSES_MAX = 8;

const enum Usage {
  InSoftirq = 1,
  SoftirqsOn = 2,
  Both = 3,
}

class Held {
  readonly nodes: number[] = [];
  readonly locks: Lock[] = [];
}

export class Lockdep implements LockProbe {
  readonly reports: LockReport[] = [];
  private readonly graph = new LockGraph();
  private readonly instances: LockGraph | undefined;
  private readonly classIds = new Map<LockClass, number>();
  private readonly classes: LockClass[] = [];
  private readonly byName = new Map<string, LockClass>();
  private readonly lockIds = new Map<Lock, number>();
  private readonly lockNames: string[] = [];
  private readonly held = new Map<Task, Held>();
  private forgetAbove = FORGET_ABOVE;
  private readonly usage: number[] = [];
  private readonly reported = new Set<string>();

  constructor(
    private readonly machine: Machine,
    options: LockdepOptions = {},
  ) {
    this.instances = options.instances === true ? new LockGraph() : undefined;
  }

  /** Classes that were taken so far, and the orders between them that were seen. */
  get classCount(): number {
    return this.classes.length;
  }

  get dependencyCount(): number {
    return this.graph.edgeCount;
  }

  /** Reports of one kind. */
  count(kind: LockReportKind): number {
    return this.reports.reduce((sum, report) => sum + (report.kind === kind ? 1 : 0), 0);
  }

  /** lockdep_is_held() */
  isHeld(lock: Lock, task: Task): boolean {
    return this.held.get(task)?.locks.includes(lock) ?? false;
  }

  acquire(lock: Lock, task: Task, _mode: LockMode, subclass: number, trylock: boolean): void {
    const held = this.heldBy(task);
    const node = this.nodeOf(lock, subclass);
    if (!trylock) {
      this.checkContext(lock, task, node, held);
      for (let i = 0; i < held.nodes.length; i++) this.checkOrder(held, i, lock, node, task);
    }
    if (lock.kind === 'spin') this.checkUsage(task, node, held);
    held.nodes.push(node);
    held.locks.push(lock);
  }

  contended(): void {}

  acquired(): void {}

  release(lock: Lock, task: Task): void {
    const { nodes, locks } = this.heldBy(task);
    const at = locks.lastIndexOf(lock);
    if (at < 0) return;
    if (at < locks.length - 1) {
      locks.splice(at, 1);
      nodes.splice(at, 1);
      return;
    }
    locks.pop();
    nodes.pop();
    if (this.held.size > this.forgetAbove) this.forgetIdle();
  }

  /** Tasks come and go: those that hold nothing are forgotten, all at once, so that a release costs little. */
  private forgetIdle(): void {
    for (const [task, { locks }] of this.held) if (locks.length === 0) this.held.delete(task);
    this.forgetAbove = Math.max(FORGET_ABOVE, 2 * this.held.size);
  }

  private heldBy(task: Task): Held {
    let held = this.held.get(task);
    if (held === undefined) this.held.set(task, (held = new Held()));
    return held;
  }

  private nodeOf(lock: Lock, subclass: number): number {
    let { lockClass } = lock;
    if (lockClass === undefined) {
      lockClass = this.byName.get(lock.name);
      if (lockClass === undefined) this.byName.set(lock.name, (lockClass = new LockClass(lock.name)));
    }
    let id = this.classIds.get(lockClass);
    if (id === undefined) {
      id = this.classes.push(lockClass) - 1;
      this.classIds.set(lockClass, id);
    }
    return id * SUBCLASSES_MAX + subclass;
  }

  /** __might_sleep(), and the wait types of CONFIG_PROVE_RAW_LOCK_NESTING. */
  private checkContext(lock: Lock, task: Task, node: number, held: Held): void {
    if (lock.kind !== 'sleep') return;
    if (task.schedClass !== SchedClass.Softirq && task.preemptDepth === 0 && task.irqDepth === 0) return;
    this.report('atomic', node, task, held, []);
  }

  /** mark_lock() for softirqs. */
  private checkUsage(task: Task, node: number, held: Held): void {
    const before = this.usage[node] ?? 0;
    if (before === Usage.Both) return;
    let now = before;
    if (task.schedClass === SchedClass.Softirq) now |= Usage.InSoftirq;
    else if (task.bhDepth === 0 && task.irqDepth === 0) now |= Usage.SoftirqsOn;
    this.usage[node] = now;
    if (now === Usage.Both) this.report('softirq', node, task, held, []);
  }

  /** check_deadlock() and check_prev_add(). */
  private checkOrder(held: Held, at: number, lock: Lock, node: number, task: Task): void {
    const previous = held.nodes[at]!;
    if (previous === node) this.report('recursive', node, task, held, []);
    else {
      const cycle = this.graph.add(previous, node);
      if (cycle !== undefined) this.report('circular', node, task, held, cycle);
    }
    if (this.instances !== undefined) this.checkInstances(this.instances, held, held.locks[at]!, lock, task);
  }

  private checkInstances(graph: LockGraph, held: Held, previous: Lock, lock: Lock, task: Task): void {
    const cycle = graph.add(this.idOf(previous), this.idOf(lock));
    if (cycle === undefined) return;
    this.push(
      'instance',
      task,
      lock.name,
      held,
      cycle.map((id) => this.lockNames[id]!),
    );
  }

  private idOf(lock: Lock): number {
    let id = this.lockIds.get(lock);
    if (id === undefined) {
      id = this.lockNames.push(lock.name) - 1;
      this.lockIds.set(lock, id);
    }
    return id;
  }

  private report(kind: LockReportKind, node: number, task: Task, held: Held, cycle: readonly number[]): void {
    // A new order is a new finding; the others are found again and again.
    const key = `${kind} ${node}`;
    if (cycle.length === 0 && this.reported.has(key)) return;
    this.reported.add(key);
    this.push(
      kind,
      task,
      this.nameOf(node),
      held,
      cycle.map((at) => this.nameOf(at)),
    );
  }

  private push(kind: LockReportKind, task: Task, taking: string, held: Held, cycle: readonly string[]): void {
    const holding = held.nodes.map((node) => this.nameOf(node));
    this.reports.push({ kind, timeNs: this.machine.nowNs, task: task.name, taking, holding, cycle });
  }

  private nameOf(node: number): string {
    const { name } = this.classes[Math.floor(node / SUBCLASSES_MAX)]!;
    const subclass = node % SUBCLASSES_MAX;
    return subclass === 0 ? name : `${name}/${subclass}`;
  }
}
