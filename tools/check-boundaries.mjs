// Checks the arrows between packages (`nx.tags` name a package's layer) and what deterministic code may not use.
// One line per violation on stdout: `file:line: what, and what is allowed`. Exit 1 when there is any.
// Usage: node tools/check-boundaries.mjs [workspace root]
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** Layer to the layers it may import. The order of the product; a layer that is missing here may import nothing. */
const MAY_IMPORT = {
  telemetry: [],
  contracts: ['telemetry'],
  'host-probe': ['telemetry'],
  machine: ['telemetry'],
  mechanisms: ['mechanisms', 'machine', 'telemetry'],
  experiment: ['mechanisms', 'machine', 'telemetry'],
  'service-host': ['experiment', 'mechanisms', 'machine', 'telemetry', 'contracts'],
  apps: ['service-host', 'experiment', 'mechanisms', 'machine', 'telemetry', 'contracts'],
  e2e: ['apps', 'service-host', 'experiment', 'mechanisms', 'machine', 'telemetry', 'contracts', 'host-probe'],
  bench: ['service-host', 'experiment', 'mechanisms', 'machine', 'telemetry', 'contracts'],
};
/** Packages that may import one more layer than theirs: what touches the real host is only for the doctor. */
const MAY_ALSO_IMPORT = { '@kworkbench/cli': ['host-probe'] };

/** Layers whose results must be a pure function of the cell. */
const DETERMINISTIC = ['machine', 'mechanisms'];
const NOT_DETERMINISTIC = [
  [/\bDate\s*\.\s*now\b|\bnew\s+Date\b/, 'the wall clock'],
  [/\bMath\s*\.\s*random\b|\brandom(?:Bytes|UUID|Int)\b|\bgetRandomValues\b/, 'unseeded randomness'],
  [/\bperformance\s*\.\s*now\b|\bhrtime\b/, 'the host clock'],
  [/\basync\b|\bawait\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bqueueMicrotask\b/, 'asynchronous code'],
];

const WORKSPACES = ['apps/*', 'libs/*', 'libs/mechanisms/*', 'e2e', 'bench'];
/** Test code: may use devDependencies and the test libraries of the root. */
const TEST_FILE = /\.spec\.ts$|\.conformance\.ts$|\.config\.ts$|\/testing\//;

// One pass over the tokens that can hide each other: comments, import specifiers, strings. What stands in a comment or
// in a string is no import and no call.
const TOKENS = new RegExp(
  [
    String.raw`(?<comment>\/\*[^]*?\*\/|\/\/[^\n]*)`,
    String.raw`(?<![\w$.])(?:from|import|import\s*\(|import\.meta\.resolve\s*\()\s*(['"])(?<specifier>[^'"\n]+)\2`,
    String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`,
    '`(?:\\\\.|[^`\\\\])*`',
  ].join('|'),
  'g',
);

const blank = (text) => text.replace(/[^\n]/g, ' ');

/** The import specifiers of a source text, and its code with comments and strings blanked out, line numbers kept. */
function scan(text) {
  const imports = [];
  const code = text.replace(TOKENS, (token, ...rest) => {
    const { specifier } = rest.at(-1);
    const [offset] = rest.slice(-3);
    if (specifier !== undefined) imports.push({ specifier, line: lineOf(text, offset) });
    // An expression inside a template is code.
    return token.replace(token.startsWith('`') ? /(?<=^|\})(?:(?!\$\{)[^])*/g : /[^]+/g, blank);
  });
  return { imports, code };
}

const lineOf = (text, index) => text.slice(0, index).split('\n').length;
const packageName = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

function readPackages(root) {
  const packages = new Map();
  for (const manifest of globSync(
    WORKSPACES.map((folder) => `${folder}/package.json`),
    { cwd: root },
  ).toSorted()) {
    const json = JSON.parse(readFileSync(join(root, manifest), 'utf8'));
    const tag = (json.nx?.tags ?? []).find((name) => name.startsWith('layer:'));
    packages.set(json.name, {
      name: json.name,
      folder: dirname(manifest),
      layer: tag?.slice('layer:'.length),
      runtime: Object.keys({ ...json.dependencies, ...json.optionalDependencies, ...json.peerDependencies }),
      development: Object.keys(json.devDependencies ?? {}),
    });
  }
  return packages;
}

function arrowProblem(from, to) {
  const allowed = [...(MAY_IMPORT[from.layer] ?? []), ...(MAY_ALSO_IMPORT[from.name] ?? [])];
  if (allowed.includes(to.layer)) return undefined;
  return `${from.name} (layer ${from.layer}) may not use ${to.name} (layer ${to.layer}); allowed layers: ${allowed.join(', ') || 'none'}`;
}

function checkManifest(pack, packages, report) {
  const place = `${pack.folder}/package.json`;
  if (!(pack.layer in MAY_IMPORT)) {
    report(place, 1, `expected an nx tag layer:<${Object.keys(MAY_IMPORT).join('|')}>, got ${pack.layer ?? 'none'}`);
  }
  for (const dependency of pack.runtime) {
    const target = packages.get(dependency);
    const problem = target && arrowProblem(pack, target);
    if (problem) report(place, 1, problem);
  }
}

function checkImport({ root, pack, packages, shared, file, isTest }, specifier) {
  if (specifier.startsWith('.')) {
    if (file.endsWith('.config.ts')) return undefined; // extends the root's
    const inside = relative(join(root, pack.folder), resolve(root, dirname(file), specifier));
    return inside === '..' || inside.startsWith(`..${sep}`)
      ? `relative import ${specifier} leaves the package; import the other package by its name`
      : undefined;
  }
  if (specifier.startsWith('#') || isBuiltin(specifier)) return undefined;
  const name = packageName(specifier);
  const target = packages.get(name);
  if (target && target !== pack) {
    const problem = arrowProblem(pack, target);
    if (problem) return problem;
  }
  const declared = isTest ? [...pack.runtime, ...pack.development, ...shared] : pack.runtime;
  if (name === pack.name || declared.includes(name)) return undefined;
  return `imports ${name}, which ${pack.folder}/package.json does not list`;
}

function checkFile(context, report) {
  const { root, pack, file } = context;
  const { imports, code } = scan(readFileSync(join(root, file), 'utf8'));
  for (const { specifier, line } of imports) {
    const problem = checkImport(context, specifier);
    if (problem) report(file, line, problem);
  }
  if (!DETERMINISTIC.includes(pack.layer) || context.isTest || file.includes('/src/live/')) return;
  code.split('\n').forEach((line, index) => {
    for (const [pattern, what] of NOT_DETERMINISTIC) {
      const found = pattern.exec(line);
      if (found) report(file, index + 1, `${found[0]}: a cell must not depend on ${what}`);
    }
  });
}

/** All violations of the workspace at `root`, as lines. */
export function checkBoundaries(root) {
  const lines = [];
  const report = (file, line, what) => lines.push(`${file}:${line}: ${what}`);
  const packages = readPackages(root);
  const shared = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies ?? {});
  let files = 0;
  for (const pack of packages.values()) {
    checkManifest(pack, packages, report);
    const everything = ['e2e', 'bench'].includes(pack.layer)
      ? `${pack.folder}/**/*.{ts,mts,mjs}`
      : `${pack.folder}/src/**/*.ts`;
    for (const file of globSync(everything, {
      cwd: root,
      exclude: (name) => /(^|\/)(node_modules|dist)$/.test(name),
    })) {
      files += 1;
      const isTest = TEST_FILE.test(file) || ['e2e', 'bench'].includes(pack.layer);
      checkFile({ root, pack, packages, shared, file, isTest }, report);
    }
  }
  return { lines, files, packages: packages.size };
}

if (import.meta.main) {
  const { lines, files, packages } = checkBoundaries(resolve(process.argv[2] ?? join(import.meta.dirname, '..')));
  for (const line of lines) console.log(line);
  console.log(`boundaries: ${packages} packages, ${files} files, ${lines.length} violations`);
  process.exitCode = lines.length > 0 ? 1 : 0;
}
