// Checks objects against the published Kubernetes schemas, without a cluster and without a network: the validators of
// `kubernetes-models` (types, required fields, enumerations) and its TypeScript types, which also refuse a field that
// does not exist - a misspelt one is silently ignored by a JSON schema.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root.js';
import type { KubernetesObject } from './render.js';

/** Below the package, so that `kubernetes-models` resolves; ignored by git. */
const SCRATCH = join(ROOT, 'e2e/test-results/k8s');
const COMPILE_TIMEOUT_MS = 60_000;

const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2024',
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

/** The module that describes an object's kind. */
function moduleOf({ apiVersion, kind }: KubernetesObject): string {
  const home = apiVersion.startsWith('keda.sh/') ? '@kubernetes-models/keda' : 'kubernetes-models';
  return `${home}/${apiVersion}/${kind}`;
}

const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind}-${metadata.name}`.toLowerCase();

/** One line per violation; empty when every object is as its schema says. */
export async function schemaViolations(objects: readonly KubernetesObject[]): Promise<string[]> {
  return [...(await invalidValues(objects)), ...unknownFields(objects)];
}

async function invalidValues(objects: readonly KubernetesObject[]): Promise<string[]> {
  const violations: string[] = [];
  for (const object of objects) {
    try {
      const module = (await import(moduleOf(object))) as Record<
        string,
        new (data: unknown) => { validate(): void } | undefined
      >;
      const Model = module[object.kind];
      if (!Model) throw new Error('no schema for this kind');
      new Model(object)!.validate();
    } catch (error) {
      violations.push(`${nameOf(object)}: ${(error as Error).message}`);
    }
  }
  return violations;
}

function unknownFields(objects: readonly KubernetesObject[]): string[] {
  const scratch = join(SCRATCH, `${process.pid}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    writeFileSync(
      join(scratch, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] }),
    );
    for (const object of objects) {
      // A fresh object literal of a declared type: the compiler refuses any field that the type does not have.
      const source = `import type { I${object.kind} as Kind } from '${moduleOf(object)}';
export const object: Kind = ${JSON.stringify(object, null, 1)};\n`;
      writeFileSync(join(scratch, `${nameOf(object)}.ts`), source);
    }
    const compiled = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', scratch, '--pretty', 'false'],
      { cwd: scratch, encoding: 'utf8', timeout: COMPILE_TIMEOUT_MS },
    );
    if (compiled.error) throw compiled.error;
    return compiled.stdout.split('\n').filter((line) => line.includes('error TS'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
