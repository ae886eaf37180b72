// What this machine has, what is missing, and how to get it.
import {
  dockerEngine,
  effectiveCapability,
  findOnPath,
  hostFacts,
  programVersion,
  type HostFacts,
} from '@kworkbench/host-probe';
import { formatTable } from './table.js';

type Status = 'ok' | 'missing' | 'low';

export interface Finding {
  readonly what: string;
  readonly status: Status;
  /** What was found, or what is wrong. */
  readonly found: string;
  /** What it is needed for. */
  readonly neededFor: string;
  /** How to get it; empty when it is there. */
  readonly remedy: string;
}

/** The product's own need: one cell stays under 300 MB, and there is one worker per core. */
const MEMORY_WANTED_BYTES = 1e9;
const OLDEST_NODE = 24;

export async function diagnose(): Promise<Finding[]> {
  const facts = hostFacts();
  const [redis, psql, kubectl, docker] = await Promise.all([
    program('redis-server', 'kwb up', 'apt-get install redis-server, or set KWB_REDIS_URL'),
    program('psql', 'looking into a PostgreSQL store', 'apt-get install postgresql-client'),
    program('kubectl', 'rendering k8s/ (kubectl kustomize)', 'https://kubernetes.io/docs/tasks/tools/', [
      'version',
      '--client',
    ]),
    engine(),
  ]);
  return [...hostFindings(facts), redis, docker, psql, kubectl, capability()];
}

function hostFindings(facts: HostFacts): Finding[] {
  const quota = facts.cpuQuota === undefined ? '' : `, cgroup quota ${facts.cpuQuota.toFixed(1)}`;
  const limit = facts.memoryLimitBytes === undefined ? '' : `, cgroup limit ${gigabytes(facts.memoryLimitBytes)}`;
  const available = Math.min(facts.memoryAvailableBytes, facts.memoryLimitBytes ?? Infinity);
  const nodeIsNew = Number(facts.nodeVersion.slice(1).split('.')[0]) >= OLDEST_NODE;
  return [
    {
      what: 'Node.js',
      status: nodeIsNew ? 'ok' : 'missing',
      found: `${facts.nodeVersion} ${facts.architecture}`,
      neededFor: 'everything',
      remedy: nodeIsNew ? '' : `start through ./kwb, which carries Node.js ${OLDEST_NODE}`,
    },
    {
      what: 'CPUs',
      status: 'ok',
      found: `${facts.cpusUsable} usable, ${facts.cpusOnline} online${quota}`,
      neededFor: 'kwb run uses one worker per usable CPU',
      remedy: '',
    },
    {
      what: 'memory',
      status: available >= MEMORY_WANTED_BYTES ? 'ok' : 'low',
      found: `${gigabytes(facts.memoryAvailableBytes)} available of ${gigabytes(facts.memoryTotalBytes)}${limit}`,
      neededFor: 'kwb run, up to 0.3 GB per worker',
      remedy: available >= MEMORY_WANTED_BYTES ? '' : 'free memory, or run with --workers 1',
    },
    {
      what: 'kernel',
      status: 'ok',
      found: facts.kernelRelease,
      neededFor: 'live backend (not part of this version)',
      remedy: '',
    },
  ];
}

async function program(name: string, neededFor: string, remedy: string, versionArgs?: string[]): Promise<Finding> {
  const path = findOnPath(name);
  if (path === undefined) return { what: name, status: 'missing', found: 'not on PATH', neededFor, remedy };
  const answer = await programVersion(path, versionArgs);
  const version = /\d+\.\d+[\w.+-]*/.exec(answer ?? '')?.[0];
  return { what: name, status: 'ok', found: version ?? path, neededFor, remedy: '' };
}

async function engine(): Promise<Finding> {
  const answer = await dockerEngine();
  const base = { what: 'Docker engine', neededFor: 'docker compose up, end-to-end tests' };
  return 'version' in answer
    ? { ...base, status: 'ok', found: answer.version, remedy: '' }
    : {
        ...base,
        status: 'missing',
        found: answer.reason,
        remedy: findOnPath('dockerd') ? 'start dockerd (as root)' : 'apt-get install docker.io, then start dockerd',
      };
}

function capability(): Finding {
  const held = effectiveCapability('CAP_SYS_ADMIN');
  return {
    what: 'CAP_SYS_ADMIN',
    status: held ? 'ok' : 'missing',
    found: held === undefined ? 'unknown (no /proc/self/status)' : held ? 'held' : 'not held',
    neededFor: 'live backend (not part of this version)',
    remedy: held ? '' : 'run as root, or docker run --cap-add SYS_ADMIN',
  };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

export function renderFindings(findings: readonly Finding[]): string {
  return formatTable(
    ['what', 'status', 'found', 'needed for', 'how to get it'],
    findings.map((f) => [f.what, f.status, f.found, f.neededFor, f.remedy]),
  );
}
