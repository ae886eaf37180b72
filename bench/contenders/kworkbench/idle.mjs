// An idle machine: `size` CPUs with RCU, workqueues, an observer every 100 ms and a task that wakes up once a second, as a
// watchdog does, over one virtual hour. Its construction counts.
import { Machine, Rcu, Workqueues } from '@kworkbench/machine';
import { cpuSeconds, freeMachine, parameters, RCU_COSTS, WORKQUEUE_COSTS } from './shared.mjs';

const { benchmark, size, operations: seconds } = parameters();
const before = cpuSeconds();
const machine = new Machine(freeMachine(size));
const rcu = new Rcu(machine, RCU_COSTS);
new Workqueues(machine, WORKQUEUE_COSTS).alloc(256);
let samples = 0;
machine.observe(100e6, () => samples++);
machine.spawn('watchdog', function* () {
  for (;;) yield machine.sleep(1e9);
});
machine.run(seconds * 1e9);
if (machine.nowNs !== seconds * 1e9 || rcu.gpStarted !== 0) throw new Error('it was not an idle hour');

console.log(
  JSON.stringify({
    benchmark,
    size,
    operations: seconds,
    cpuSeconds: cpuSeconds() - before,
    events: machine.events.executed,
    samples,
  }),
);
