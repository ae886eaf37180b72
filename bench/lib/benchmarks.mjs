// The plan: which benchmark runs which contenders, at which size, for how long, and what is asked of the result.
//
// `operations` differs between contenders so that each runs for about half a second to a few seconds; the rate is what
// is compared. `warmup` is the same for all of one benchmark: it is not timed, and the virtual time at its end must be
// the same in all of them, or they did not run the same model.

const row = (contender, label, variant, operations) => ({ contender, label, variant, operations });

/** ns-3 on each of these schedulers of its own. */
const ns3Rows = (operations, schedulers) =>
  schedulers.map((scheduler) => row('ns3', `ns-3 events, ${scheduler}`, scheduler, operations));

/** Like for like: processes are compared with processes, functions that events call with such functions. */
const PROCESSES = ['simgrid', 'simpy'];
const asProcesses = (ours) => [
  ...PROCESSES.map((simulator) => ({ ours, against: [simulator], least: 1 })),
  // For information: our processes beside functions.
  { ours, against: ['ns3'] },
];
const asFunctions = { ours: 'actors', against: ['ns3'], least: 1 };

const SCHEDULERS = ['map', 'heap', 'priority-queue', 'calendar'];

const holdBars = [{ ours: 'queue', against: ['cpp'], least: 0.8 }, asFunctions, ...asProcesses('tasks')];

function hold(size, name, { ours, tasks, ns3, simgrid, simpy }) {
  return {
    id: `hold-${name}`,
    program: 'hold',
    title: `Hold model, ${size.toLocaleString('en')} pending, exponential increments`,
    unit: 'M events/s',
    size,
    warmup: 200_000,
    rows: [
      row('kworkbench', 'kworkbench queue', 'queue', ours),
      row('cpp', 'C++ std::priority_queue', '', ours),
      row('kworkbench', 'kworkbench actors (a function per event)', 'actors', ours),
      ...ns3Rows(ns3, SCHEDULERS),
      row('kworkbench', 'kworkbench tasks (a state machine per event)', 'routines', tasks),
      row('kworkbench', 'kworkbench tasks (a generator per event)', 'tasks', tasks),
      row('simgrid', 'SimGrid actors', '', simgrid),
      row('simpy', 'SimPy processes', '', simpy),
    ],
    bars: holdBars,
  };
}

const kernel = {
  ...hold(1000, 'kernel', { ours: 2e7, tasks: 5e6, ns3: 1e6, simgrid: 4e5, simpy: 3e5 }),
  id: 'kernel',
  program: 'kernel',
  title: 'Kernel-like increments, 1,000 pending: 50 % zero, 30 % exponential of 2 us, 20 % to the next 4 ms tick',
  bars: [{ ours: 'queue', against: ['cpp'], least: 1 }, asFunctions, ...asProcesses('tasks')],
};

const queueing = (servers) => ({
  id: servers === 1 ? 'mm1' : `mm${servers}`,
  program: 'queueing',
  title: `M/M/${servers} at load 0.8: a source, ${servers === 1 ? 'a server' : `${servers} servers`} and a queue`,
  unit: 'M customers/s',
  size: servers,
  warmup: 200_000,
  theory: true,
  rows: [
    row('cpp', 'C++ std::priority_queue, state machine', '', 1e7),
    row('kworkbench', 'kworkbench actors', 'actors', 1e7),
    ...ns3Rows(2e6, ['map', 'priority-queue']),
    row('kworkbench', 'kworkbench tasks (state machines)', 'routines', 6e6),
    row('kworkbench', 'kworkbench tasks (generators)', 'tasks', 6e6),
    row('simgrid', 'SimGrid actors', '', 2e5),
    row('simpy', 'SimPy processes', '', 1e5),
  ],
  bars: [...(servers === 1 ? [{ ours: 'tasks', leastRate: 2e6 }] : []), asFunctions, ...asProcesses('tasks')],
});

const convoy = {
  id: 'convoy',
  program: 'convoy',
  title: 'Mutex convoy, 64 tasks on 64 CPUs, hold 10, think 5',
  unit: 'M sections/s',
  size: 64,
  warmup: 200_000,
  rows: [
    row('kworkbench', 'kworkbench, first come first served', 'fair', 8e6),
    row('kworkbench', 'kworkbench, the same, state machines', 'fair-routines', 8e6),
    row('kworkbench', 'kworkbench, as the kernel: spins, steals, hands off', 'kernel', 8e6),
    row('kworkbench', 'kworkbench, the same, state machines', 'kernel-routines', 8e6),
    row('simgrid', 'SimGrid actors', '', 2e5),
    row('simpy', 'SimPy processes', '', 1e5),
  ],
  bars: [
    // The form in which the models' hot paths are written; a generator's `next()` costs as much as half a section.
    { ours: 'fair-routines', leastRate: 5e6 },
    { ours: 'kernel-routines', leastRate: 5e6 },
    ...PROCESSES.map((simulator) => ({ ours: 'fair', against: [simulator], least: 1 })),
  ],
};

const timerRows = (contender, label, prefix, operations) =>
  [0, 80].map((percent) =>
    row(contender, `${label}, ${percent === 0 ? 'none' : '80 %'} cancelled`, `${prefix}${percent}`, operations),
  );

const NS3_CANCELLED = ['map/cancel-80', 'priority-queue/cancel-80', 'map/remove-80'];

const timers = {
  id: 'timers',
  program: 'timers',
  title: 'Timers of 1 to 2 ms, one a microsecond, 80 % cancelled after 500 us or none',
  unit: 'M timers/s',
  size: 1500,
  warmup: 100_000,
  rows: [
    ...timerRows('kworkbench', 'kworkbench high-resolution timers', 'hrtimers-', 4e6),
    ...timerRows('kworkbench', 'kworkbench actors', 'actors-', 4e6),
    ...timerRows('cpp', 'C++ std::priority_queue', '', 2e6),
    ...timerRows('ns3', 'ns-3 Cancel, map', 'map/cancel-', 5e5),
    ...timerRows('ns3', 'ns-3 Cancel, priority-queue', 'priority-queue/cancel-', 5e5),
    row('ns3', 'ns-3 Remove, map, 80 % cancelled', 'map/remove-80', 5e5),
    ...timerRows('kworkbench', 'kworkbench tasks: sleep and wake', 'tasks-', 3e6),
    ...timerRows('simgrid', 'SimGrid acquire_timeout', '', 1e5),
    ...timerRows('simpy', 'SimPy interrupt', '', 5e4),
  ],
  bars: [
    { ours: 'hrtimers-80', most: 1.5, slowerThanOwn: 'hrtimers-0' },
    { ours: 'actors-80', most: 1.5, slowerThanOwn: 'actors-0' },
    { ours: 'tasks-80', most: 1.5, slowerThanOwn: 'tasks-0' },
    { ours: 'hrtimers-80', against: ['ns3'], only: NS3_CANCELLED, least: 1 },
    { ours: 'tasks-80', against: ['ns3'], only: NS3_CANCELLED },
    ...PROCESSES.map((simulator) => ({ ours: 'tasks-80', against: [simulator], only: ['80'], least: 1 })),
  ],
};

const scenario = {
  id: 'scenario',
  program: 'scenario',
  title: 'netns-unshare-storm, one cell: machine seconds per CPU second',
  unit: 'x faster than the machine',
  scale: 1,
  size: 0,
  warmup: 0,
  rows: ['before', 'v4'].map((variant) => row('kworkbench', `kworkbench, variant ${variant}`, variant, 0)),
  bars: ['before', 'v4'].flatMap((variant) => [
    { ours: variant, leastRate: 100 },
    { ours: variant, mostPeakBytes: 300e6 },
  ]),
};

const idle = {
  id: 'idle',
  program: 'idle',
  title: 'An idle machine of 4,096 CPUs, one virtual hour: virtual seconds per CPU second',
  unit: 'x faster than the machine',
  scale: 1,
  size: 4096,
  warmup: 0,
  rows: [row('kworkbench', 'kworkbench', '', 3600)],
  bars: [{ ours: '', mostSeconds: 1 }],
};

const scale = {
  id: 'scale',
  program: 'scale',
  title: 'The same work, 40 tasks, on 40 CPUs and on 400',
  unit: 'M steps/s',
  warmup: 100_000,
  rows: [40, 400].map((cpus) => ({
    ...row('kworkbench', `kworkbench, ${cpus} CPUs`, `${cpus}-cpus`, 1e6),
    size: cpus,
  })),
  bars: [{ ours: '400-cpus', most: 1.2, slowerThanOwn: '40-cpus' }],
};

const ALLOCATION_EVENTS = 1e7;
/** Ours are none; a generator adds the object that the language returns from every resume. */
const ALLOCATION_NONE = [
  'hold-queue',
  'hold-actors',
  'hold-routines',
  'timers',
  'convoy-fair-routines',
  'convoy-kernel-routines',
];
const allocation = {
  id: 'allocation',
  program: 'allocation',
  title: 'Bytes allocated per event, over 10 M events in steady state',
  unit: 'bytes/event',
  allocation: true,
  warmup: 200_000,
  rows: [...ALLOCATION_NONE, 'hold-tasks', 'convoy-fair', 'convoy-kernel'].map((variant) => ({
    ...row('kworkbench', variant.replaceAll('-', ', '), variant, ALLOCATION_EVENTS),
    size: variant.startsWith('convoy') ? 64 : 1000,
  })),
  // The meter itself and the compiler leave some kilobytes.
  bars: ALLOCATION_NONE.map((variant) => ({ ours: variant, mostBytesPerEvent: 0.5 })),
};

export const benchmarks = [
  hold(1e3, '1e3', { ours: 2e7, tasks: 5e6, ns3: 1e6, simgrid: 2e5, simpy: 3e5 }),
  hold(1e5, '1e5', { ours: 1e7, tasks: 1e6, ns3: 5e5, simgrid: 1e5, simpy: 1e5 }),
  hold(1e6, '1e6', { ours: 1e7, tasks: 1e6, ns3: 5e5, simgrid: 1e5, simpy: 1e5 }),
  kernel,
  queueing(1),
  queueing(4),
  convoy,
  timers,
  idle,
  scale,
  scenario,
  allocation,
];
