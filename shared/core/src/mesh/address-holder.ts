import { compareText } from '../resources/creation-order.ts';
import type { KubeObject } from '../resources/kinds.ts';
import { isPerhapsOnHost } from './unread-pod.ts';
import { hasEnded } from './workload.ts';

type Pod = KubeObject<'Pod'>;
type Service = KubeObject<'Service'>;
type ExternalWorkload = KubeObject<'ExternalWorkload'>;

/** Whose an address is, of all pods whose status has it. */
export type AddressHolder =
  | { readonly kind: 'pod'; readonly pod: Pod }
  | Contested
  /** Pods share it with their node, and with whatever else runs there. */
  | { readonly kind: 'node' }
  /** No pod that runs has it. */
  | { readonly kind: 'nobody' };

/** Nothing tells which of them was given the address last, so none may be recognised by it. */
export interface Contested<Claimant = Pod> {
  readonly kind: 'contested';
  /** By namespace and name. */
  readonly claimants: readonly Claimant[];
}

/** Which ExternalWorkload serves a port of an address. */
export type ExternalHolder =
  | { readonly kind: 'external-workload'; readonly workload: ExternalWorkload }
  | Contested<ExternalWorkload>
  | { readonly kind: 'nobody' };

const nobody = { kind: 'nobody' } as const;
const node = { kind: 'node' } as const;

/**
 * Whose an address is (design §15.2). A status keeps the address that its pod had, and CNIs reuse addresses at once, so
 * several pods may claim one: those that have ended do not count, a terminating pod yields to one that is not, and among
 * the rest the one that its kubelet started last has it. A creation time says nothing about when an address was given.
 */
export const addressHolder = (claimants: Iterable<Pod>): AddressHolder => {
  const running = withoutEnded(claimants);
  const onHost = running.filter(({ spec }) => spec.hostNetwork).length;
  if (onHost === running.length && onHost > 0) return node;
  const isShared = onHost > 0 || (running.length > 1 && running.some(isPerhapsOnHost));
  return isShared ? contested(running) : lastGiven(running);
};

/** Whose a port of a node is, of all pods whose status has the node's address: of those that map the port, by the same order. */
export const hostPortHolder = (
  pods: Iterable<Pod>,
  port: number,
): Exclude<AddressHolder, { readonly kind: 'node' }> =>
  lastGiven(withoutEnded(pods).filter(({ spec }) => spec.ports.some(({ hostPort }) => hostPort === port)));

/** Whose a port of a machine outside the cluster is: of those that declare it. Nothing tells which of several has it. */
export const externalHolder = (workloads: Iterable<ExternalWorkload>, port: number): ExternalHolder => {
  const claimants = [...workloads].filter(({ spec }) =>
    spec.ports.some((declared) => declared.port === port),
  );
  const [first, ...others] = claimants;
  if (first === undefined) return nobody;
  return others.length === 0 ? { kind: 'external-workload', workload: first } : contested(claimants);
};

/**
 * Which Service answers to a cluster IP: the oldest that has it, then the first by namespace and name, so that a Service
 * which comes later takes nobody's clients away. An API server gives each address once; folders and restored etcds may not.
 */
export const serviceHolder = (services: Iterable<Service>): Service | undefined =>
  [...services].sort(bySeniority)[0];

/** The order in which Services have a right to an address that several have. */
export const bySeniority = ({ meta: a }: Service, { meta: b }: Service): number =>
  a.createdAt - b.createdAt || compareKeys(a, b);

/** The first few of those that claim an address, as `namespace/name`, and how many there are: thousands may. */
export interface NamedClaimants {
  readonly claimants: readonly string[];
  readonly count: number;
}

export const nameClaimants = (claimants: readonly KubeObject[]): NamedClaimants => ({
  claimants: claimants.slice(0, claimantsNamed).map(({ meta }) => `${meta.namespace}/${meta.name}`),
  count: claimants.length,
});

const claimantsNamed = 4;

/** Those beside one of them, for a sentence: `demo/b, demo/c, 5 more`. */
export const printOthers = ({ claimants, count }: NamedClaimants, own: string): string => {
  const others = claimants.filter((claimant) => claimant !== own).slice(0, claimantsNamed - 1);
  const more = count - 1 - others.length;
  return [...others, ...(more > 0 ? [`${more} more`] : [])].join(', ');
};

const withoutEnded = (pods: Iterable<Pod>): readonly Pod[] => [...pods].filter(({ spec }) => !hasEnded(spec));

const lastGiven = (
  running: readonly Pod[],
): { readonly kind: 'pod'; readonly pod: Pod } | Contested | typeof nobody => {
  const staying = running.filter(({ meta }) => meta.deletedAt === undefined);
  const rivals = staying.length > 0 ? staying : running;
  const [first, ...others] = rivals;
  if (first === undefined) return nobody;
  if (others.length === 0) return { kind: 'pod', pod: first };
  const times = rivals.map(({ spec }) => spec.startedAt ?? Number.NaN);
  // One time that is not known makes the latest unknown: Math.max is then NaN, which equals nothing.
  const latest = Math.max(...times);
  const newest = rivals.filter(({ spec }) => spec.startedAt === latest);
  const [pod] = newest;
  return newest.length === 1 && pod !== undefined ? { kind: 'pod', pod } : contested(rivals);
};

const contested = <Claimant extends KubeObject>(claimants: readonly Claimant[]): Contested<Claimant> => ({
  kind: 'contested',
  claimants: [...claimants].sort(({ meta: a }, { meta: b }) => compareKeys(a, b)),
});

const compareKeys = (a: KubeObject['meta'], b: KubeObject['meta']): number =>
  compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
