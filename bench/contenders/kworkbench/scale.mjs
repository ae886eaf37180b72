// The same work on machines of different size: 40 tasks that may run anywhere burst, sleep, take a mutex, free by RCU and
// queue work. On 40 CPUs they keep the machine busy; on 400 the others stay idle, and must cost nothing.
import { Machine, Mutex, RandomStream, Rcu, Work, Workqueues } from '@kworkbench/machine';
import { freeMachine, Meter, parameters, RCU_COSTS, report, SEED, WORKQUEUE_COSTS } from './shared.mjs';

const TASKS = 40;

const given = parameters();
const meter = new Meter(given);
const machine = new Machine({ ...freeMachine(given.size), contextSwitchNs: 1000 });
const rcu = new Rcu(machine, RCU_COSTS);
const workqueue = new Workqueues(machine, WORKQUEUE_COSTS).alloc(256);
const mutex = new Mutex(machine, 'shared');
let steps = 0;
let freed = 0;
let worked = 0;

function* body(index) {
  const random = new RandomStream(SEED, `scale ${index}`);
  const work = new Work(function* () {
    worked++;
    yield 500;
  });
  for (;;) {
    yield random.exponential(20_000);
    yield machine.sleep(random.exponential(5000));
    if (++steps === meter.next && meter.reached(machine.nowNs)) return machine.stop();
    if (steps % 8 === 0) {
      for (let wait; (wait = mutex.acquire()) !== 0;) yield wait;
      yield 200;
      mutex.unlock();
    } else if (steps % 8 === 4) {
      rcu.callRcu(machine.current.cpu, 1, 200, () => freed++);
    } else if (steps % 16 === 1) {
      workqueue.queueOn(machine.current.cpu, work);
    }
  }
}

for (let index = 0; index < TASKS; index++) {
  machine.spawn(`task ${index}`, () => body(index), { near: machine.cpus[index] });
}
machine.run(Infinity);
// The work is the same, not its order: where tasks run decides who waits for whom.
report(given, meter, { warmupTimeNs: undefined, events: machine.events.executed, freed, worked });
