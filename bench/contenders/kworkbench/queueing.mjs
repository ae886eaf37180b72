// M/M/c at load 0.8 as threads: one source, `size` servers, a queue between them. A server that finds nothing parks;
// the source wakes one. Waiting times are recorded in batches, for the confidence interval of their mean.
import { Machine, PARK, RandomStream } from '@kworkbench/machine';
import { freeMachine, Meter, parameters, report, SEED } from './shared.mjs';

const LOAD = 0.8;
const MEAN_SERVICE_NS = 1e6;
const BATCHES = 20;
/** At load 0.8 the queue holds thousands with a probability that is zero for all purposes. */
const RING = 65_536;

const given = parameters();
const { size: servers, operations, warmup } = given;
const meter = new Meter(given);
const machine = new Machine(freeMachine(servers + 1));
const arrivals = new RandomStream(SEED, 'arrival');
const services = new RandomStream(SEED, 'service');
const meanArrivalNs = MEAN_SERVICE_NS / (LOAD * servers);
const queue = new Float64Array(RING);
let head = 0;
let tail = 0;
const idle = [];
let started = 0;
let waitedNs = 0;
let batchEnd = warmup + operations / BATCHES;
const batchMeans = [];

function* source() {
  for (;;) {
    yield machine.sleep(arrivals.exponential(meanArrivalNs));
    if (tail - head === RING) throw new Error('queue is full');
    queue[tail++ & (RING - 1)] = machine.nowNs;
    if (idle.length > 0) machine.wake(idle.pop());
  }
}

function* server(task) {
  for (;;) {
    while (head === tail) {
      idle.push(task);
      yield PARK;
    }
    const waitNs = machine.nowNs - queue[head++ & (RING - 1)];
    if (count(waitNs)) return machine.stop();
    yield services.exponential(MEAN_SERVICE_NS);
  }
}

/** True when the measurement is over. */
function count(waitNs) {
  waitedNs += waitNs;
  if (++started === batchEnd) {
    batchMeans.push(waitedNs / (operations / BATCHES) / MEAN_SERVICE_NS);
    waitedNs = 0;
    batchEnd += operations / BATCHES;
  }
  if (started !== meter.next) return false;
  waitedNs = started === warmup ? 0 : waitedNs;
  return meter.reached(machine.nowNs);
}

machine.spawn('source', source, { on: machine.cpus[0] });
for (let i = 1; i <= servers; i++) machine.spawn(`server ${i}`, server, { on: machine.cpus[i] });
machine.run(Infinity);
report(given, meter, { batchMeans });
