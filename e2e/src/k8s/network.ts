// Which pod may open a connection to which, as the NetworkPolicies of one namespace say.
import type { KubernetesObject } from './render.js';

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { port: number | string }[];
}
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}
export interface Pod {
  readonly name: string;
  readonly labels: Labels;
  readonly ports: Readonly<Record<string, number>>;
}

const WORKLOADS = ['Deployment', 'StatefulSet'];

export function podsOf(objects: readonly KubernetesObject[]): Pod[] {
  return objects
    .filter(({ kind }) => WORKLOADS.includes(kind))
    .map((object) => ({
      name: object.metadata.name,
      labels: object['spec'].template.metadata.labels as Labels,
      ports: Object.fromEntries(
        object['spec'].template.spec.containers.flatMap(
          ({ ports }: { ports: { name: string; containerPort: number }[] }) =>
            ports.map(({ name, containerPort }) => [name, containerPort]),
        ),
      ) as Record<string, number>,
    }));
}

export function selects(selector: Selector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator !== 'In') throw new Error(`network policies use no other operator than In so far, got ${operator}`);
      return values!.includes(labels[key] ?? '');
    })
  );
}

/** Whether pods of this namespace only; a peer with a namespaceSelector is another namespace. */
function matchesPeer(peers: readonly Peer[] | undefined, labels: Labels): boolean {
  if (peers === undefined) return true;
  return peers.some((peer) => !peer.namespaceSelector && peer.podSelector && selects(peer.podSelector, labels));
}

/** Whether `from` may connect to `port` of `to`: out of the one and into the other, each by some policy. */
export function mayConnect(objects: readonly KubernetesObject[], from: Pod, to: Pod, port: number): boolean {
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy').map((object) => object['spec']);
  const opens = (rule: Rule): boolean =>
    rule.ports === undefined ||
    rule.ports.some((allowed) => allowed.port === port || to.ports[String(allowed.port)] === port);
  const passes = (direction: 'Ingress' | 'Egress', pod: Pod, other: Pod): boolean => {
    const mine = policies.filter(
      (spec) => spec.policyTypes.includes(direction) && selects(spec.podSelector, pod.labels),
    );
    if (mine.length === 0) return true;
    const rules = mine.flatMap((spec): Rule[] => spec[direction.toLowerCase()] ?? []);
    return rules.some(
      (rule) => opens(rule) && matchesPeer(direction === 'Ingress' ? rule.from : rule.to, other.labels),
    );
  };
  return passes('Egress', from, to) && passes('Ingress', to, from);
}
