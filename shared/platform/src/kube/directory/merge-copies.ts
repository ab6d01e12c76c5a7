import { isDeepStrictEqual } from 'node:util';
import { lowestRates } from '@gatehouse/core/inbound/lowest-rates';
import { everything } from '@gatehouse/core/label-selector';
import type { Problem } from '@gatehouse/core/problem';
import {
  defaultInboundPolicyAnnotation,
  requireIdentityAnnotation,
} from '@gatehouse/core/resources/annotations';
import {
  isRejected,
  type Kind,
  type KubeObject,
  type ObjectMeta,
  type Rejected,
  type RejectedRateLimit,
  type RejectedRoute,
  type RejectedServer,
  type Specs,
} from '@gatehouse/core/resources/kinds';
import type { PodSpec, UnreadPart } from '@gatehouse/core/resources/kinds/kubernetes';

/** Several manifests' copies of one object, in the order of paths and then of documents; never empty. */
export interface Copies<T> {
  readonly first: T;
  readonly others: readonly T[];
}

export const groupCopies = <T>(all: readonly T[], keyOf: (each: T) => string): readonly Copies<T>[] => {
  const groups = new Map<string, { readonly first: T; readonly others: T[] }>();
  for (const each of all) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: each, others: [] });
    else group.others.push(each);
  }
  return [...groups.values()];
};

/** What restricts a pod's ports without any policy. */
const restricting = [defaultInboundPolicyAnnotation, requireIdentityAnnotation] as const;

/** The fields of a pod by which each part of it is decided. */
const podFields = {
  serviceAccountName: ['serviceAccount'],
  hostNetwork: ['hostNetwork'],
  phase: ['phase', 'terminated'],
  ports: ['ports'],
} as const satisfies Record<UnreadPart, readonly (keyof PodSpec)[]>;

/**
 * The first copy of an object of a core kind, except where the copies disagree about what decides: nobody knows which is
 * meant. A default policy is then deny; labels, and what decides about a pod, count as unread (unread-pod.ts).
 */
export const mergeCore = <K extends Kind>({ first, others }: Copies<KubeObject<K>>): KubeObject<K> => {
  if (others.length === 0) return first;
  const copies = [first, ...others];
  const unread = first.kind === 'Pod' ? unreadOfPods(copies as readonly KubeObject<'Pod'>[]) : [];
  return {
    ...first,
    meta: mergeMeta(
      copies.map(({ meta }) => meta),
      first.meta,
    ),
    ...(unread.length === 0 ? {} : { spec: { ...first.spec, unread } }),
    ...(first.kind === 'ExternalWorkload' &&
    !agreeInPorts(copies as readonly KubeObject<'ExternalWorkload'>[])
      ? { spec: { ...first.spec, unreadPorts: true } }
      : {}),
  };
};

const agreeInPorts = (copies: readonly KubeObject<'ExternalWorkload'>[]): boolean =>
  agree(copies.map(({ spec }) => spec.ports)) && copies.every(({ spec }) => spec.unreadPorts === undefined);

const mergeMeta = (all: readonly ObjectMeta[], first: ObjectMeta): ObjectMeta => {
  const unread = new Set(all.flatMap(({ unreadTexts = [] }) => unreadTexts));
  if (!agree(all.map(({ labels }) => labels))) unread.add('labels');
  const restrictions = all.map(({ annotations }) => restricting.map((name) => annotations[name]));
  return {
    ...first,
    ...(agree(restrictions)
      ? {}
      : { annotations: { ...first.annotations, [defaultInboundPolicyAnnotation]: 'deny' } }),
    ...(unread.size === 0 ? {} : { unreadTexts: [...unread] }),
  };
};

const unreadOfPods = (pods: readonly KubeObject<'Pod'>[]): readonly UnreadPart[] => {
  const unread = new Set(pods.flatMap(({ spec }) => spec.unread ?? []));
  for (const [part, fields] of Object.entries(podFields) as [UnreadPart, readonly (keyof PodSpec)[]][])
    if (!fields.every((field) => agree(pods.map(({ spec }) => spec[field])))) unread.add(part);
  return [...unread].sort();
};

/**
 * Several copies of a policy object as one rejected object. Nobody knows which of them is meant: it closes what they agree
 * to close, else all of their namespace. A route is attached wherever one of them is, and keeps what they agree to keep: what
 * only one of them says may be no route of the Server, and a request without a route must not get one.
 */
export const rejectCopies = ({ first, others }: Copies<KubeObject>, problem: Problem): KubeObject => {
  const copies = [first, ...others];
  const specs = copies.map(({ spec }) => spec).filter((spec): spec is RejectedSpec => isRejected(spec));
  const agreed = agreement(specs.map(({ closes }) => closes));
  const routes = specs.filter((spec) => 'attachedTo' in spec);
  const servers = specs.filter((spec) => 'governs' in spec);
  const limits = specs.filter((spec) => 'limits' in spec);
  return {
    ...first,
    // Of routes and Servers the older one has its way, so the place of the oldest copy closes the most.
    meta: { ...first.meta, createdAt: Math.min(...copies.map(({ meta }) => meta.createdAt)) },
    spec: {
      rejected: [problem],
      closes: agreed ?? { selector: everything, ports: 'all' },
      ...(routes.length === 0 ? {} : mergeRoutes(routes)),
      ...(servers.length === 0 ? {} : mergeServers(servers, agreed !== undefined && isOfOneAge(copies))),
      ...(limits.length === 0 ? {} : mergeLimits(limits, isOfOneAge(copies))),
    },
  };
};

type RejectedSpec = Extract<Specs[Kind], Rejected>;

const agree = (all: readonly unknown[]): boolean => all.every((each) => isDeepStrictEqual(each, all[0]));

const agreement = <T>(all: readonly T[]): T | undefined => (agree(all) ? all[0] : undefined);

const isOfOneAge = (copies: readonly KubeObject[]): boolean =>
  agree(copies.map(({ meta }) => meta.createdAt));

type Route = RejectedRoute<object>;

const mergeRoutes = (routes: readonly Route[]): Omit<Route, keyof Rejected> => {
  const [first] = routes;
  const isAgreed = agree(routes.map(({ attachedTo, keeps }) => ({ attachedTo, keeps })));
  return {
    attachedTo: unionOf(routes.map(({ attachedTo }) => attachedTo)),
    keeps: isAgreed ? (first?.keeps ?? []) : [],
    extent: isAgreed && routes.every(({ extent }) => extent === 'known') ? 'known' : 'unknown',
  };
};

const unionOf = (attached: readonly Route['attachedTo'][]): Route['attachedTo'] =>
  attached.includes('all') ? 'all' : [...new Set(attached.flat())].sort();

/** Each Server that one of them may limit is limited as the lowest of them says, unless they agree. */
const mergeLimits = (
  copies: readonly RejectedRateLimit[],
  isOfOneAge: boolean,
): Omit<RejectedRateLimit, keyof Rejected> => {
  const all = copies.map(({ limits }) => limits);
  const servers = agreement(all.map((each) => each.servers));
  const isSure = isOfOneAge && servers !== undefined && all.every(({ applies }) => applies === 'surely');
  return {
    limits: {
      servers: servers ?? unionOf(all.map((each) => each.servers)),
      applies: isSure ? 'surely' : 'perhaps',
      rates: agreement(all.map(({ rates }) => rates)) ?? lowestRates(all.map(({ rates }) => rates)),
    },
  };
};

const mergeServers = (
  servers: readonly RejectedServer[],
  agree: boolean,
): Omit<RejectedServer, keyof Rejected> => ({
  governs: agree && servers.every(({ governs }) => governs === 'surely') ? 'surely' : 'perhaps',
  closesExternal: agreement(servers.map(({ closesExternal }) => closesExternal)) ?? {
    selector: everything,
    ports: 'all',
  },
  proxyProtocol: agreement(servers.map(({ proxyProtocol }) => proxyProtocol)),
});
