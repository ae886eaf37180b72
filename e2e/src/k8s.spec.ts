import { describe, expect, it } from 'vitest';
import { mayConnect, podsOf } from './k8s/network.js';
import { missingReferences, policyViolations } from './k8s/policies.js';
import { render, renderWithComponent, type KubernetesObject } from './k8s/render.js';
import { schemaViolations } from './k8s/schema.js';

const kinds = (objects: readonly KubernetesObject[]): string[] =>
  objects.map(({ kind, metadata }) => `${kind}/${metadata.name.replace(/-[a-z0-9]{10}$/, '')}`).toSorted();

const MECHANISMS = ['conntrack-cleaner', 'ipvs-estimator', 'netns-teardown', 'padata-helpers', 'reuseport-migrator'];
const SERVICES = ['coordinator', ...MECHANISMS].flatMap((name) => [
  `Deployment/${name}`,
  `PodDisruptionBudget/${name}`,
  `Service/${name}`,
]);
const STORES = ['postgres', 'redis'].flatMap((name) => [
  `PodDisruptionBudget/${name}`,
  `Service/${name}`,
  `StatefulSet/${name}`,
]);

describe.each(['dev', 'prod'])('the overlay %s', (overlay) => {
  const objects = render(`k8s/overlays/${overlay}`);

  it('is what the Kubernetes schemas allow, to the last field', async () => {
    expect(await schemaViolations(objects)).toEqual([]);
  });

  it('has limits, probes, a budget and no privilege for every workload', () => {
    expect(policyViolations(objects)).toEqual([]);
  });

  it('is in one namespace that admits no privileged pod', () => {
    const namespace = objects.find(({ kind }) => kind === 'Namespace')!;
    expect(namespace.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const homes = objects.filter(({ kind }) => kind !== 'Namespace').map(({ metadata }) => metadata.namespace);
    expect(new Set(homes)).toEqual(new Set([namespace.metadata.name]));
  });
});

it('runs everything inside the cluster in dev', () => {
  const objects = render('k8s/overlays/dev');
  expect(kinds(objects)).toEqual(
    expect.arrayContaining([...SERVICES, ...STORES, 'Secret/kworkbench-connections', 'ConfigMap/kworkbench']),
  );
  expect(missingReferences(objects)).toEqual([]);
});

it('expects the secret and the data stores of prod to exist, and brings neither', () => {
  const objects = render('k8s/overlays/prod');
  expect(kinds(objects)).toEqual(expect.arrayContaining(SERVICES));
  expect(kinds(objects).filter((name) => /^(Secret|StatefulSet)\//.test(name))).toEqual([]);
  expect(missingReferences(objects)).toEqual(['Secret/kworkbench-connections']);
});

describe('the network policies of dev', () => {
  const objects = render('k8s/overlays/dev');
  const pods = podsOf(objects);
  const ports: Record<string, number[]> = {
    coordinator: [8080, 50051],
    ...Object.fromEntries(MECHANISMS.map((name) => [name, [8081, 50052]])),
    redis: [6379],
    postgres: [5432],
  };
  // Everything that may be; whatever is not here must be closed.
  const edges = [
    ...MECHANISMS.map((name) => `coordinator > ${name}:50052`),
    'coordinator > postgres:5432',
    'coordinator > redis:6379',
    ...MECHANISMS.flatMap((name) => [`${name} > coordinator:50051`, `${name} > redis:6379`]),
  ];

  it('open the edges that the services need, and no other', () => {
    const open = pods.flatMap((from) =>
      pods
        .filter((to) => to !== from)
        .flatMap((to) =>
          ports[to.name]!.filter((port) => mayConnect(objects, from, to, port)).map(
            (port) => `${from.name} > ${to.name}:${port}`,
          ),
        ),
    );
    expect(open.toSorted()).toEqual(edges.toSorted());
  });
});

it('accepts the autoscaling component in an overlay', async () => {
  const objects = renderWithComponent('k8s/overlays/dev', 'keda');
  const scaled = objects.filter(({ kind }) => kind === 'ScaledObject');
  expect(scaled.map(({ metadata }) => metadata.name).toSorted()).toEqual(MECHANISMS);
  for (const { metadata, spec } of scaled) {
    const [mechanism] = metadata.name.split('-');
    expect(spec.scaleTargetRef.name).toBe(metadata.name);
    // What waits and what is being computed, or replicas at work would be taken away.
    expect(spec.triggers.map((trigger: KubernetesObject['spec']) => trigger.metadata.listName)).toEqual(
      ['prioritized', 'wait', 'active'].map((state) => `bull:cells.${mechanism}:${state}`),
    );
  }
  expect(await schemaViolations(objects)).toEqual([]);
});

describe('the checks themselves', () => {
  const objects = render('k8s/overlays/dev');
  const broken = (change: (pod: KubernetesObject['spec']) => void): KubernetesObject[] => {
    const copy = structuredClone(objects);
    change(copy.find(({ kind }) => kind === 'Deployment')!['spec'].template.spec);
    return copy;
  };

  it.each([
    ['a misspelt field', broken((pod) => (pod.containers[0].imagePullPolcy = 'Always')), 'imagePullPolcy'],
    ['a value of the wrong type', broken((pod) => (pod.containers[0].args = 'main.js')), 'args'],
    ['a value that is not in the list', broken((pod) => (pod.containers[0].imagePullPolicy = 'Often')), 'Policy'],
    ['a missing name', broken((pod) => delete pod.containers[0].name), 'name'],
  ])('find %s', async (_what, objects, told) => {
    const found = await schemaViolations(objects);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toContain(told);
  });

  it.each([
    ['no memory limit', broken((pod) => delete pod.containers[0].resources.limits.memory), 'a memory limit'],
    ['a root user', broken((pod) => (pod.securityContext.runAsUser = 0)), 'a user id that is not 0'],
    ['no readiness probe', broken((pod) => delete pod.containers[0].readinessProbe), 'probes'],
    ['a renamed port', broken((pod) => (pod.containers[0].ports[0].name = 'web')), 'a Service whose ports it has'],
  ])('find %s', (_what, objects, told) => {
    expect(policyViolations(objects).join('\n')).toContain(told);
  });
});
