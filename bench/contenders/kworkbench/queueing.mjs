// M/M/c at load 0.8: one source, `size` servers, a queue between them. Variants: `tasks` as threads that are generators,
// a server that finds nothing parks and the source wakes one; `routines` the same threads written out as state machines;
// `actors` as events that call functions. Waiting times are recorded in batches, for the confidence interval of their mean.
import { Machine, PARK, RandomStream, Routine } from '@kworkbench/machine';
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

function arrive() {
  if (tail - head === RING) throw new Error('queue is full');
  queue[tail++ & (RING - 1)] = machine.nowNs;
}

/** Takes the first customer; the time of its service. */
function serve() {
  if (count(machine.nowNs - queue[head++ & (RING - 1)])) machine.stop();
  return services.exponential(MEAN_SERVICE_NS);
}

/** What a source yields until the next customer comes. */
const untilNext = () => machine.sleep(arrivals.exponential(meanArrivalNs));

function wakeServer() {
  if (idle.length > 0) machine.wake(idle.pop());
}

function* source() {
  for (;;) {
    yield untilNext();
    arrive();
    wakeServer();
  }
}

function* server(task) {
  for (;;) {
    while (head === tail) {
      idle.push(task);
      yield PARK;
    }
    yield serve();
  }
}

class Source extends Routine {
  #started = false;
  step() {
    if (this.#started) {
      arrive();
      wakeServer();
    }
    this.#started = true;
    return untilNext();
  }
}

class Server extends Routine {
  #task;
  constructor(task) {
    super();
    this.#task = task;
  }
  step() {
    if (head !== tail) return serve();
    idle.push(this.#task);
    return PARK;
  }
}

function runThreads(sourceBody, serverBody) {
  machine.spawn('source', sourceBody, { on: machine.cpus[0] });
  for (let i = 1; i <= servers; i++) machine.spawn(`server ${i}`, serverBody, { on: machine.cpus[i] });
}

function runActors() {
  let free = servers;
  const departure = machine.addActor(() => {
    free++;
    start();
  });
  function start() {
    if (free === 0 || head === tail) return;
    free--;
    machine.schedule(serve(), departure, 0);
  }
  const arrival = machine.addActor(() => {
    arrive();
    machine.schedule(arrivals.exponential(meanArrivalNs), arrival, 0);
    start();
  });
  machine.schedule(arrivals.exponential(meanArrivalNs), arrival, 0);
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

const forms = {
  tasks: () => runThreads(source, server),
  routines: () =>
    runThreads(
      () => new Source(),
      (task) => new Server(task),
    ),
  actors: runActors,
};
forms[given.variant]();
machine.run(Infinity);
report(given, meter, { batchMeans });
