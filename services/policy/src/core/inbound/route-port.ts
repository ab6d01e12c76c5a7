import type {
  Authorization,
  GrpcRoute,
  HttpRoute,
  InboundProtocol,
} from '@gatehouse/core/inbound/inbound-server';
import { type ProbeRequest, probeRequests } from '@gatehouse/core/mesh/probes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { type RouteObject, routesSent } from './attached-routes.ts';
import { type Finding, type FindingReason, type PortInput, refOf } from './model.ts';
import { probeRoutes } from './probe-routes.ts';
import { probeAuthorization } from './probes.ts';
import {
  catchAllGrpcRoute,
  catchAllRoute,
  type Guard,
  grpcRuleRoutes,
  httpRuleRoutes,
  maxMatches,
  neverMatchesCalls,
  type OpenProbes,
  type RulePolicy,
} from './rule-routes.ts';

/** What the routes of a port are made of. */
export interface RouteParts {
  readonly input: PortInput;
  readonly protocol: InboundProtocol['kind'];
  /** The Enforce policies with rules that select the port, oldest first. */
  readonly ruled: readonly (RulePolicy & { readonly object: KubeObject<'NetworkAuthenticationPolicy'> })[];
  readonly guard: Guard;
  readonly attached: readonly RouteObject[];
  /** What AuthorizationPolicies give on single routes. */
  readonly byRoute: ReadonlyMap<RouteObject, readonly Authorization[]>;
}

export interface RoutedPort {
  readonly protocol: InboundProtocol;
  /** Names of the policies whose rules have no effect here. */
  readonly muted: readonly string[];
  readonly findings: readonly Finding[];
}

/** The protocol with its routes: attached ones as they are, else what rules make, else one for everything. */
export const routePort = (parts: RouteParts): RoutedPort => {
  const { protocol } = parts;
  switch (protocol) {
    case 'opaque':
    case 'tls': {
      const muted = namesOf(parts);
      const why = `Port ${parts.input.port} is ${protocol === 'tls' ? 'TLS' : 'opaque'}, so rules grant nothing there.`;
      const findings = [
        ...about(parts, 'RulesNeedHTTP', { names: muted, message: why }),
        ...shutProbes(parts, why),
      ];
      return { protocol: { kind: protocol }, muted, findings };
    }
    case 'grpc': {
      const { routes, muted, findings } = grpcRoutes(parts);
      const shut = shutProbes(parts, `Port ${parts.input.port} speaks gRPC.`);
      return { protocol: { kind: protocol, routes }, muted, findings: [...findings, ...shut] };
    }
    case 'detect': {
      const { routes, muted, findings } = httpRoutes(parts);
      const timeoutMs = parts.input.cluster.detectTimeoutMs;
      return { protocol: { kind: protocol, timeoutMs, routes }, muted, findings };
    }
    case 'http1':
    case 'http2': {
      const { routes, muted, findings } = httpRoutes(parts);
      return { protocol: { kind: protocol, routes }, muted, findings };
    }
  }
};

interface Routes<Route> {
  readonly routes: readonly Route[];
  readonly muted: readonly string[];
  readonly findings: readonly Finding[];
}

const httpRoutes = (parts: RouteParts): Routes<HttpRoute> => {
  const { input, ruled, attached } = parts;
  const authorization = probeAuthorization(input.cluster);
  const probes = authorization && { requests: probeRequests(input.workload, input.port), authorization };
  const shut = probes === undefined ? shutProbes(parts, 'No probe networks are configured.') : [];
  if (attached.length > 0) {
    const { routes, findings } = routesWithProbes(parts, probes);
    return { routes, muted: namesOf(parts), findings: [...routesAttached(parts), ...findings, ...shut] };
  }
  if (ruled.length > 0) {
    const { matchesRegex } = input;
    const { routes, leftOut } = httpRuleRoutes(ruled, { guard: parts.guard, probes, matchesRegex });
    return { routes, muted: leftOut, findings: [...tooManyMatches(parts, leftOut), ...shut] };
  }
  return {
    routes: [catchAllRoute, ...(probes === undefined ? [] : probeRoute(probes))],
    muted: [],
    findings: shut,
  };
};

/** Beside the catch-all no probe can shut anybody out: the server's authorizations are added to both. */
const probeRoute = ({ requests, authorization }: OpenProbes): readonly HttpRoute[] => {
  if (requests.length === 0) return [];
  const matches = requests.map(({ method, path }) => ({
    path: { kind: 'exact', value: path } as const,
    method,
    headers: [],
    queryParams: [],
  }));
  const meta = { kind: 'default', name: 'probe' } as const;
  return [{ meta, hosts: [], authorizations: [authorization], rules: [{ matches, filters: [] }] }];
};

const routesWithProbes = (
  { input, attached, byRoute }: RouteParts,
  probes: OpenProbes | undefined,
): { readonly routes: readonly HttpRoute[]; readonly findings: readonly Finding[] } => {
  const asWritten = routesSent(attached, byRoute);
  if (probes === undefined) return { routes: asWritten, findings: [] };
  const { routes, shut } = probeRoutes(probes, asWritten, {
    matchesRegex: input.matchesRegex,
    room: maxAttached - matchesIn(asWritten),
  });
  const why = `Routes and probes of the port make more than ${maxAttached} matches together.`;
  return {
    routes: [...routes, ...asWritten],
    findings: shut.map((request) => shutProbe(request, input.port, why)),
  };
};

/** Per port, of all attached routes and of what keeps probes open beside them. */
const maxAttached = 2_048;

/** A rule without matches counts as one that matches everything. */
const matchesIn = (routes: readonly HttpRoute[]): number => {
  let count = 0;
  for (const { rules } of routes) for (const { matches } of rules) count += Math.max(1, matches.length);
  return count;
};

const grpcRoutes = (parts: RouteParts): Routes<GrpcRoute> => {
  const { input, ruled, attached } = parts;
  if (attached.length > 0) {
    // HTTPRoutes have no place on a gRPC port, but its author wrote of requests: rules must not widen that.
    return { routes: [catchAllGrpcRoute], muted: namesOf(parts), findings: routesAttached(parts) };
  }
  const { routes, leftOut } = grpcRuleRoutes(ruled);
  const names = ruled.filter(({ rules }) => rules.some(neverMatchesCalls)).map(({ name }) => name);
  const message = `Port ${input.port} speaks gRPC, where a rule of this policy matches no call: use POST, Exact /service/method or PathPrefix /service.`;
  const findings = [
    ...tooManyMatches(parts, leftOut),
    ...about(parts, 'RuleNeverMatches', { names, message }),
  ];
  return { routes, muted: leftOut, findings };
};

const namesOf = ({ ruled }: RouteParts): readonly string[] => ruled.map(({ name }) => name);

const about = (
  { ruled }: RouteParts,
  reason: FindingReason,
  { names, message }: { readonly names: readonly string[]; readonly message: string },
): readonly Finding[] =>
  ruled
    .filter(({ name }) => names.includes(name))
    .map(({ object }) => ({ reason, about: refOf(object), message }));

const routesAttached = (parts: RouteParts): readonly Finding[] =>
  about(parts, 'RoutesAttached', {
    names: namesOf(parts),
    message: `Routes are attached to the Server of port ${parts.input.port}, so rules grant nothing there.`,
  });

const tooManyMatches = (parts: RouteParts, names: readonly string[]): readonly Finding[] =>
  about(parts, 'TooManyMatches', {
    names,
    message: `Rules make more than ${maxMatches} matches on port ${parts.input.port}, so the newest grant nothing there.`,
  });

const shutProbes = ({ input: { workload, port } }: RouteParts, why: string): readonly Finding[] =>
  probeRequests(workload, port).map((request) => shutProbe(request, port, why));

const shutProbe = ({ method, path }: ProbeRequest, port: number, why: string): Finding => ({
  reason: 'ProbeNotOpened',
  about: { kind: 'workload' },
  message: `${why} So the probe ${method} ${path} on port ${port} passes only where a policy admits it.`,
});
