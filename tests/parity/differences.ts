import type { Authorization, HttpRoute, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { everywhere } from '@gatehouse/core/ip-network';
import { hasPort, parsePortSet } from '@gatehouse/core/port-set';
import { defaultPolicies } from '@gatehouse/core/resources/kinds/linkerd';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { annotationOf, portsNamed, probesOn } from './pod-facts.ts';
import { ourConfig } from './same-settings.ts';

/** A port of a pod, or of an ExternalWorkload in its place, that both controllers were asked for. */
export interface Question {
  readonly pod: WireObject;
  readonly port: number;
}

/** Something that Gatehouse does in another way, and means to. */
export interface Described {
  /** As docs/from-linkerd.md calls it. */
  readonly name: string;
  readonly reason: string;
  readonly shownBy: { readonly file: string; readonly title: string };
}

/** One of which it is known what it makes of an answer of Linkerd. */
export interface Difference extends Described {
  /** What Gatehouse says where Linkerd says `theirs`; the same object where it makes no difference. */
  readonly ours: (theirs: InboundServer, question: Question) => InboundServer;
}

const isDefault = ({ meta }: InboundServer): boolean => meta.kind === 'default';

const routesOf = ({ protocol }: InboundServer): readonly HttpRoute[] =>
  protocol.kind === 'detect' || protocol.kind === 'http1' || protocol.kind === 'http2' ? protocol.routes : [];

/** Whether routes of resources are attached, beside which the default route is gone. */
export const hasAttachedRoutes = (server: InboundServer): boolean =>
  routesOf(server).some(({ meta }) => meta.kind === 'resource');

const unreadableDefault: Difference = {
  name: 'An annotation default-inbound-policy that is not a policy',
  reason: 'is deny and reported; Linkerd ignores it, so a slip opens what the author meant to close',
  shownBy: {
    file: 'services/policy/src/core/inbound/default-policy.test.ts',
    title: 'an unreadable pod, over its namespace',
  },
  ours: (theirs, { pod }) => {
    const text = annotationOf(pod, 'default-inbound-policy');
    const isKnown = text === undefined || (defaultPolicies as readonly string[]).includes(text);
    return isKnown || !isDefault(theirs)
      ? theirs
      : { ...theirs, meta: { kind: 'default', name: 'deny' }, authorizations: [] };
  },
};

const anyIdentity = { kind: 'identities', identities: [], suffixes: [[]] } as const;

const unreadableRequirement: Difference = {
  name: 'An annotation proxy-require-identity-inbound-ports that cannot be read',
  reason: 'means every port and is reported; Linkerd reads it as none',
  shownBy: {
    file: 'services/policy/src/core/inbound/default-policy.test.ts',
    title: 'a list that cannot be read is reported',
  },
  ours: (theirs, { pod }) => {
    const text = annotationOf(pod, 'proxy-require-identity-inbound-ports') ?? '';
    const { meta } = theirs;
    if (parsePortSet(text).ok || meta.kind !== 'default') return theirs;
    const authenticated = {
      kind: 'default',
      name: meta.name.replace('unauthenticated', 'authenticated'),
    } as const;
    if (meta.name === 'audit' || meta.name === 'deny') return theirs;
    const authorizations = theirs.authorizations.map(
      (one): Authorization => ({ ...one, authentication: anyIdentity, meta: authenticated }),
    );
    return { ...theirs, meta: authenticated, authorizations };
  },
};

const opaque = { kind: 'opaque' } as const;

const defaultOpaquePorts: Difference = {
  name: 'A pod or ExternalWorkload without an annotation opaque-ports',
  reason: 'has the opaque ports of the cluster, as the injector writes them; Linkerd reads none',
  shownBy: {
    file: 'services/policy/src/core/inbound/default-policy.test.ts',
    title: 'of the default list',
  },
  ours: (theirs, { pod, port }) =>
    isDefault(theirs) &&
    annotationOf(pod, 'opaque-ports') === undefined &&
    hasPort(ourConfig.defaultOpaquePorts, port)
      ? { ...theirs, protocol: opaque }
      : theirs,
};

const namedOpaquePorts: Difference = {
  name: 'An annotation opaque-ports with names of ports, or with an item that cannot be read',
  reason:
    "is read item by item, names too, as Linkerd's destination reads it for clients; its policy controller reads none of it",
  shownBy: {
    file: 'services/policy/src/core/inbound/default-policy.test.ts',
    title: 'listed by name',
  },
  ours: (theirs, { pod, port }) => {
    const text = annotationOf(pod, 'opaque-ports') ?? '';
    if (parsePortSet(text).ok || !isDefault(theirs)) return theirs;
    const isListed = text.split(',').some((item) => {
      const ports = parsePortSet(item);
      return ports.ok ? hasPort(ports.value, port) : portsNamed(pod, item.trim()).includes(port);
    });
    return isListed ? { ...theirs, protocol: opaque } : theirs;
  },
};

type Probe = { readonly method: 'GET' | 'POST'; readonly path: string };

/** What the route of the probes is about, changed; without any there is none. */
const withProbes = (
  theirs: InboundServer,
  change: (probes: readonly Probe[]) => readonly Probe[],
): InboundServer => {
  const { protocol } = theirs;
  if (!('routes' in protocol) || protocol.kind === 'grpc' || hasAttachedRoutes(theirs)) return theirs;
  const isProbeRoute = ({ meta }: HttpRoute): boolean => meta.kind === 'default' && meta.name === 'probe';
  const matches = protocol.routes
    .filter(isProbeRoute)
    .flatMap(({ rules }) => rules.flatMap((rule) => rule.matches));
  const probes = matches.map(
    ({ path, method }): Probe => ({ path: path?.value ?? '', method: method as 'GET' }),
  );
  const changed = change(probes).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const rest = protocol.routes.filter((route) => !isProbeRoute(route));
  return { ...theirs, protocol: { ...protocol, routes: [...rest, ...probeRoute(changed)] } };
};

const probeRoute = (probes: readonly Probe[]): readonly HttpRoute[] => {
  const meta = { kind: 'default', name: 'probe' } as const;
  return probes.length === 0
    ? []
    : [
        {
          meta,
          hosts: [],
          authorizations: [{ networks: everywhere, authentication: { kind: 'unauthenticated' }, meta }],
          rules: [
            {
              matches: probes.map(({ path, method }) => ({
                path: { kind: 'exact', value: path },
                method,
                headers: [],
                queryParams: [],
              })),
              filters: [],
            },
          ],
        },
      ];
};

const httpsProbes: Difference = {
  name: 'An HTTPS probe',
  reason: 'opens nothing: it comes as TLS, and Linkerd opens its path to plain HTTP only',
  shownBy: {
    file: 'shared/platform/src/kube/parse/pod-probes.test.ts',
    title: 'HTTPS probes and the hooks of a container are remembered as what nothing opens',
  },
  ours: (theirs, { pod, port }) =>
    withProbes(theirs, (probes) => {
      const { http, https } = probesOn(pod, port);
      return probes.filter(({ path }) => !https.includes(path) || http.includes(path));
    }),
};

const probesByOtherNames: Difference = {
  name: 'A probe by the name of a port that is not TCP',
  reason: 'is opened at that number, where kubelet sends it; Linkerd does not find it',
  shownBy: {
    file: 'shared/platform/src/kube/parse/pod-probes.test.ts',
    title: 'a port is found by its name whatever its protocol, as kubelet finds it',
  },
  ours: (theirs, { pod, port }) =>
    withProbes(theirs, (probes) => {
      const found = new Set(probesOn(pod, port).byOtherName);
      const more = [...found].filter((path) => !probes.some((probe) => probe.path === path));
      return [...probes, ...more.map((path): Probe => ({ method: 'GET', path }))];
    }),
};

const grpcDefaultRoute: Difference = {
  name: 'The default route of a gRPC Server',
  reason:
    'is about every request: what is not a call is denied to those whom the Server does not admit, and reaches the application from the others; in Linkerd it is about calls, and the rest is 404',
  shownBy: {
    file: 'services/policy/src/core/inbound/grpc-rules.test.ts',
    title:
      'what is not a call is decided like a call that nobody names: by who is admitted to the whole port',
  },
  ours: (theirs) => {
    const { protocol } = theirs;
    if (protocol.kind !== 'grpc') return theirs;
    const routes = protocol.routes.map((route) =>
      route.meta.kind === 'default' ? { ...route, rules: [{ matches: [], filters: [] }] } : route,
    );
    return { ...theirs, protocol: { ...protocol, routes } };
  },
};

const grpcRuleWithoutMatches: Difference = {
  name: 'A rule of a GRPCRoute without matches',
  reason: 'is about every call; in Linkerd it is also about requests that are not calls',
  shownBy: {
    file: 'shared/platform/src/kube/parse/grpc-route.test.ts',
    title: 'a rule without matches is about every call, and a route without rules about none',
  },
  ours: (theirs) => {
    const { protocol } = theirs;
    if (protocol.kind !== 'grpc') return theirs;
    const everyCall = [{ service: '', method: '', headers: [] }];
    const routes = protocol.routes.map((route) => ({
      ...route,
      rules: route.rules.map((rule) =>
        route.meta.kind === 'resource' && rule.matches.length === 0 ? { ...rule, matches: everyCall } : rule,
      ),
    }));
    return { ...theirs, protocol: { ...protocol, routes } };
  },
};

const grpcProbes: Difference = {
  name: 'A gRPC probe',
  reason: 'stays open as HTTP probes do; in Linkerd it needs a policy',
  shownBy: {
    file: 'services/policy/src/core/inbound/attached-routes.test.ts',
    title: 'POST /grpc.health.v1.Health/Check',
  },
  ours: (theirs, { pod, port }) =>
    withProbes(theirs, (probes) =>
      probesOn(pod, port).grpc
        ? [...probes, { method: 'POST', path: '/grpc.health.v1.Health/Check' }]
        : probes,
    ),
};

const ownProbes: Difference = {
  name: "The proxy's own probes on its admin port",
  reason: "stay open wherever the proxy's container stands; Linkerd finds them in the pod's spec",
  shownBy: {
    file: 'services/policy/src/core/inbound/attached-routes.test.ts',
    title: 'GET /live',
  },
  ours: (theirs, { pod, port }) =>
    withProbes(theirs, (probes) => {
      if (port !== 4191 || pod.kind === 'ExternalWorkload') return probes;
      const own = ['/live', '/ready'].filter((path) => !probes.some((probe) => probe.path === path));
      return [...probes, ...own.map((path): Probe => ({ method: 'GET', path }))];
    }),
};

/** In the order in which they are applied. */
export const differences: readonly Difference[] = [
  unreadableDefault,
  unreadableRequirement,
  defaultOpaquePorts,
  namedOpaquePorts,
  httpsProbes,
  probesByOtherNames,
  grpcProbes,
  ownProbes,
  grpcDefaultRoute,
  grpcRuleWithoutMatches,
];
