// What every workload of ours must have, beyond what a schema can say. One line per violation.
import { selects } from './network.js';
import type { KubernetesObject } from './render.js';

/** Shorter than this, a service is killed before it has given its cells back. */
const LEAST_GRACE_SECONDS = 30;

interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly { name: string }[];
  readonly resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  readonly securityContext?: Record<string, unknown> & { capabilities?: { drop?: string[]; add?: string[] } };
  readonly [key: string]: unknown;
}

export function policyViolations(objects: readonly KubernetesObject[]): string[] {
  return objects
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .flatMap((workload) =>
      [
        ...podViolations(workload),
        ...(workload['spec'].template.spec.containers as Container[]).flatMap((container) =>
          containerViolations(container).map((violation) => `${container.name}: ${violation}`),
        ),
        ...companionViolations(workload, objects),
      ].map((violation) => `${workload.kind} ${workload.metadata.name}: ${violation}`),
    );
}

function violations(rules: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(rules)
    .filter(([, holds]) => !holds)
    .map(([rule]) => `must have ${rule}`);
}

function podViolations(workload: KubernetesObject): string[] {
  const pod = workload['spec'].template.spec;
  return violations({
    'automountServiceAccountToken: false': pod.automountServiceAccountToken === false,
    'securityContext.runAsNonRoot: true': pod.securityContext?.runAsNonRoot === true,
    'a user id that is not 0': Number(pod.securityContext?.runAsUser) > 0,
    'seccompProfile RuntimeDefault': pod.securityContext?.seccompProfile?.type === 'RuntimeDefault',
    [`terminationGracePeriodSeconds of ${LEAST_GRACE_SECONDS} at least`]:
      pod.terminationGracePeriodSeconds >= LEAST_GRACE_SECONDS,
    topologySpreadConstraints: workload.kind !== 'Deployment' || pod.topologySpreadConstraints?.length > 0,
    'no access to the host': !pod.hostNetwork && !pod.hostPID && !pod.hostIPC,
  });
}

function containerViolations(container: Container): string[] {
  const { resources, securityContext } = container;
  return violations({
    'startup, readiness and liveness probes': ['startupProbe', 'readinessProbe', 'livenessProbe'].every(
      (probe) => container[probe] !== undefined,
    ),
    'a CPU request and a CPU limit': Boolean(resources?.requests?.['cpu'] && resources.limits?.['cpu']),
    // Memory cannot be taken back: a limit above the request is a promise that the node may break.
    'a memory limit that is its request':
      resources?.limits?.['memory'] !== undefined && resources.limits['memory'] === resources.requests?.['memory'],
    'allowPrivilegeEscalation: false': securityContext?.['allowPrivilegeEscalation'] === false,
    'readOnlyRootFilesystem: true': securityContext?.['readOnlyRootFilesystem'] === true,
    'all capabilities dropped and none added':
      securityContext?.capabilities?.drop?.includes('ALL') === true && !securityContext.capabilities.add,
    'an image with a tag that is not latest':
      /:[^/]+$|@sha256:/.test(container.image) && !container.image.endsWith(':latest'),
  });
}

/** A service that reaches it and a budget that protects it, with the labels and ports that the pods really have. */
function companionViolations(workload: KubernetesObject, objects: readonly KubernetesObject[]): string[] {
  const { labels } = workload['spec'].template.metadata;
  const ports = (workload['spec'].template.spec.containers as Container[]).flatMap((container) =>
    (container.ports ?? []).map(({ name }) => name),
  );
  const service = objects.find(
    ({ kind, spec }) => kind === 'Service' && selects({ matchLabels: spec.selector }, labels),
  );
  const budget = objects.find(({ kind, spec }) => kind === 'PodDisruptionBudget' && selects(spec.selector, labels));
  return violations({
    'a Service that selects it': service !== undefined,
    'a Service whose ports it has': (service?.['spec'].ports ?? []).every(({ targetPort }: { targetPort: string }) =>
      ports.includes(targetPort),
    ),
    'a PodDisruptionBudget': budget !== undefined,
    'a selector that its own pods match': selects(workload['spec'].selector, labels),
  });
}

/** ConfigMaps and Secrets that pods refer to but that are not among the objects, as `kind/name`. */
export function missingReferences(objects: readonly KubernetesObject[]): string[] {
  const present = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const missing = new Set<string>();
  const need = (kind: string, name: string | undefined): void => {
    if (name !== undefined && !present.has(`${kind}/${name}`)) missing.add(`${kind}/${name}`);
  };
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      if (key === 'secretKeyRef' || key === 'secretRef') need('Secret', child.name);
      else if (key === 'configMapKeyRef' || key === 'configMapRef') need('ConfigMap', child.name);
      else walk(child);
    }
  };
  walk(objects.map(({ spec }) => spec));
  return [...missing].toSorted();
}
