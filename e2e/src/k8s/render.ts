// What kustomize makes of an overlay, as objects.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { ROOT } from '../root.js';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // The shape is what the schema check is for; policies read it loosely.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [key: string]: any;
}

const RENDER_TIMEOUT_MS = 30_000;

/** @throws with one line when kubectl is missing or cannot render. */
export function render(folder: string): KubernetesObject[] {
  let text: string;
  try {
    text = execFileSync('kubectl', ['kustomize', join(ROOT, folder)], { encoding: 'utf8', timeout: RENDER_TIMEOUT_MS });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error('kubectl is missing: run tools/ensure-kubectl.sh', { cause: error });
    }
    throw error;
  }
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    return withoutLineBreaks(document.toJS() as KubernetesObject);
  });
}

/** kustomize breaks long base64 into lines; the API server does not mind, the schema's format does. */
function withoutLineBreaks(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Secret') return object;
  const data = Object.entries(object['data'] as Record<string, string>);
  return { ...object, data: Object.fromEntries(data.map(([key, value]) => [key, value.replace(/\s/g, '')])) };
}

/** Renders `overlay` with a component of `k8s/components`, as an overlay of its own would take it. */
export function renderWithComponent(overlay: string, component: string): KubernetesObject[] {
  const folder = `e2e/test-results/${component}-${process.pid}`;
  const home = join(ROOT, folder);
  mkdirSync(home, { recursive: true });
  try {
    const kustomization = {
      resources: [`../../../${overlay}`],
      components: [`../../../k8s/components/${component}`],
    };
    writeFileSync(join(home, 'kustomization.yaml'), stringify(kustomization));
    return render(folder);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
