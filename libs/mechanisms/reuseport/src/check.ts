// Impossibilities that the schemas cannot say, with the path of what is wrong.
import type { Cell, Problem } from '@kworkbench/mechanism';
import { ideas } from './idea.js';
import { connectionsOf } from './model/arrivals.js';
import { listenerName, listenerNumber } from './model/names.js';
import { isOrder, namesOf } from './model/reload.js';
import type { ReuseportCell } from './model/system.js';
import { MAX_CONNECTIONS, MAX_LISTENERS, type ReuseportWorkload } from './workloads.js';

const MOST_CELL_CLOSES = 1_000_000;

/** Names that are no listener of the first `count`, or come twice. */
function nameProblems(path: string, list: string, count: number): Problem[] {
  const expected = `listeners from A to ${listenerName(count - 1)}, each once, such as "A,B"`;
  const seen = new Set<string>();
  for (const name of namesOf(list)) {
    const number = listenerNumber(name);
    if (number === undefined || number >= count || seen.has(name)) return [{ path, expected, got: name }];
    seen.add(name);
  }
  return [];
}

function queuesProblems(workload: ReuseportWorkload, handsOver: boolean): Problem[] {
  const { oldListeners, newListeners, gap, close, relisten, closeHow } = workload;
  const problems: Problem[] = [];
  const present = gap > 0 ? oldListeners : oldListeners + newListeners;
  const count = handsOver ? 1 : present;
  if (!isOrder(close)) problems.push(...nameProblems('workload.close', close, handsOver ? oldListeners : count));
  if (!isOrder(close) && namesOf(close).length === 0) {
    problems.push({
      path: 'workload.close',
      expected: 'inOrder, reverse, mixed, or listeners such as "A,B"',
      got: close,
    });
  }
  if (relisten !== '') {
    if (closeHow !== 'shutdown') {
      problems.push({ path: 'workload.closeHow', expected: 'shutdown, for listeners to listen again', got: closeHow });
    }
    problems.push(...nameProblems('workload.relisten', relisten, count));
    const closed = isOrder(close) ? undefined : namesOf(close);
    const other = namesOf(relisten).find((name) =>
      closed === undefined ? (listenerNumber(name) ?? 0) >= oldListeners : !closed.includes(name),
    );
    if (other !== undefined) {
      problems.push({ path: 'workload.relisten', expected: 'listeners that are closed before', got: other });
    }
  }
  return problems;
}

function reloadProblems(workload: ReuseportWorkload): Problem[] {
  const { close, newListeners, rate, connections, period, reloads, relisten } = workload;
  const problems: Problem[] = [];
  if (!isOrder(close)) {
    problems.push({ path: 'workload.close', expected: 'inOrder, reverse or mixed (names are for queues)', got: close });
  }
  if (relisten !== '') {
    problems.push({
      path: 'workload.relisten',
      expected: 'nothing (only queues have listeners that listen again)',
      got: relisten,
    });
  }
  if (reloads > 0 && newListeners === 0) {
    problems.push({ path: 'workload.newListeners', expected: 'at least 1 for a reload', got: newListeners });
  }
  if (rate <= 0) problems.push({ path: 'workload.rate', expected: 'a rate above 0, such as 700/s', got: rate });
  if (period <= 0) problems.push({ path: 'workload.period', expected: 'a duration above 0', got: period });
  if (connections === 0 && connectionsOf(workload) < 1) {
    problems.push({ path: 'workload.rate', expected: 'at least one connection in the whole run', got: rate });
  }
  return problems;
}

export function check(cell: Cell): readonly Problem[] {
  const { kernel, workload } = cell as ReuseportCell;
  const unknown = ideas.problems(kernel);
  if (unknown.length > 0) return unknown;
  const handsOver = kernel.reload === 'fdHandoff' || kernel.reload === 'sharedSocket';
  const problems = workload.kind === 'queues' ? queuesProblems(workload, handsOver) : reloadProblems(workload);
  const connections = connectionsOf(workload);
  if (connections > MAX_CONNECTIONS) {
    const path = workload.connections > 0 ? 'workload.connections' : 'workload.rate';
    problems.push({
      path,
      expected: `at most ${MAX_CONNECTIONS.toLocaleString('en')} connections in all`,
      got: connections,
    });
  }
  // Closed members stay in the group for as long as half-open requests refer to them.
  const together = workload.oldListeners + workload.newListeners;
  if (together > MAX_LISTENERS) {
    const expected = `at most ${MAX_LISTENERS.toLocaleString('en')} listeners, old and new`;
    problems.push({ path: 'workload.newListeners', expected, got: workload.newListeners });
  }
  if (workload.kind === 'reload' && workload.reloads * workload.newListeners > MOST_CELL_CLOSES) {
    const expected = `at most ${MOST_CELL_CLOSES.toLocaleString('en')} listeners in all reloads`;
    problems.push({ path: 'workload.reloads', expected, got: workload.reloads });
  }
  return problems;
}
