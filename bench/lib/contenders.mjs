// Who takes part: how each is found, built and started, and what to install when it is not there.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

const bench = join(import.meta.dirname, '..');
const built = join(bench, 'dist');
const source = (...path) => join(bench, 'contenders', ...path);

/** As the product starts a thread for cells: a young generation of 24 MB, which is three semi-spaces of 8. */
// The inlining budget is that of the threads that run cells (libs/experiment, cell-thread.ts).
const NODE_FLAGS = [
  '--max-semi-space-size=8',
  '--max-inlined-bytecode-size=1000',
  '--max-inlined-bytecode-size-cumulative=5000',
  '--reserve-inline-budget-scale-factor=3',
];
const COMPILER_FLAGS = ['-O3', '-std=c++17'];

/** Our programs, by benchmark. */
const OURS = {
  hold: 'hold.mjs',
  kernel: 'hold.mjs',
  queueing: 'queueing.mjs',
  convoy: 'convoy.mjs',
  timers: 'timers.mjs',
  idle: 'idle.mjs',
  scale: 'scale.mjs',
  scenario: 'scenario.mjs',
  allocation: 'allocation.mjs',
};

const firstLine = (text) => text.trim().split('\n', 1)[0];
const succeeds = (command, args, options) => spawnSync(command, args, { stdio: 'ignore', ...options }).status === 0;

function hasHeader(header) {
  return succeeds('g++', ['-std=c++17', '-fsyntax-only', '-x', 'c++', '-'], {
    input: `#include <${header}>\n`,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** Compiles when the program is missing or older than a source; the error of the compiler is an error of this bench. */
function compile(name, file, libraries) {
  const program = join(built, name);
  const newest = Math.max(...[file, source('cpp', 'shared.hpp')].map((path) => statSync(path).mtimeMs));
  if (!existsSync(program) || statSync(program).mtimeMs < newest) {
    mkdirSync(built, { recursive: true });
    execFileSync('g++', [...COMPILER_FLAGS, '-w', '-o', program, file, ...libraries], { stdio: 'inherit' });
  }
  return [program];
}

const missing = (reason, install) => ({ missing: `${reason}; to install it: ${install}` });

function cpp() {
  if (!succeeds('g++', ['--version'])) return missing('no g++', 'apt-get install g++');
  return {
    version: firstLine(execFileSync('g++', ['--version'], { encoding: 'utf8' })),
    command: compile('cpp', source('cpp', 'bench.cpp'), []),
  };
}

function ns3() {
  const install = 'apt-get install g++ libns3-dev';
  if (!succeeds('g++', ['--version'])) return missing('no g++', install);
  if (!hasHeader('ns3/core-module.h')) return missing('no ns3/core-module.h', install);
  // Debian's pkg-config file also asks for GSL, which the core does not need.
  const command = compile('ns3', source('ns3', 'bench.cc'), ['-lns3-core']);
  const library = execFileSync('g++', ['-print-file-name=libns3-core.so'], { encoding: 'utf8' }).trim();
  return { version: basename(realpathSync(library)), command };
}

function simgrid() {
  const install = 'apt-get install g++ libsimgrid-dev';
  if (!succeeds('g++', ['--version'])) return missing('no g++', install);
  if (!hasHeader('simgrid/s4u.hpp')) return missing('no simgrid/s4u.hpp', install);
  const library = execFileSync('g++', ['-print-file-name=libsimgrid.so'], { encoding: 'utf8' }).trim();
  return {
    version: basename(realpathSync(library)),
    command: compile('simgrid', source('simgrid', 'bench.cpp'), ['-lsimgrid']),
  };
}

function simpy() {
  // Debian's package is for Debian's own Python, which need not be the first on the path.
  for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean)) {
    const code =
      'import platform, simpy; simpy.Environment; print(simpy.__version__, "on Python", platform.python_version())';
    const { status, stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' });
    if (status === 0) return { version: stdout.trim(), command: [python, source('simpy', 'bench.py')] };
  }
  return missing('no Python with SimPy 3 or 4', 'pip install simpy (or, on Debian 12, apt-get install python3-simpy3)');
}

function kworkbench() {
  return {
    version: `Node ${process.version}`,
    command: (benchmark) => [process.execPath, ...NODE_FLAGS, source('kworkbench', OURS[benchmark])],
  };
}

/** All contenders: name to `{ title, version, command }`, or `{ title, missing }`. */
export function findContenders() {
  return {
    kworkbench: { title: 'kworkbench', ...kworkbench() },
    cpp: { title: 'C++ std::priority_queue', ...cpp() },
    ns3: { title: 'ns-3', ...ns3() },
    simgrid: { title: 'SimGrid', ...simgrid() },
    simpy: { title: 'SimPy', ...simpy() },
  };
}
