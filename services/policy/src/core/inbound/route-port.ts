import type {
  Authorization,
  GrpcRoute,
  HttpRoute,
  InboundProtocol,
} from '@gatehouse/core/inbound/inbound-server';
import { type ProbeRequest, probeRequests } from '@gatehouse/core/mesh/probes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { isGrpcRoute, isHttpRoute, matchesIn, type PortRoutes, routesSent } from './attached-routes.ts';
import { foreignTo } from './foreign-routes.ts';
import { type Finding, type FindingReason, type PortInput, refOf } from './model.ts';
import { probeRoutes } from './probe-routes.ts';
import { probeAuthorization } from './probes.ts';
import { rowBudgetNames, type Steps, stepsToWriteMatch } from './row-budgets.ts';
import {
  catchAllGrpcRoute,
  catchAllRoute,
  type Guard,
  grpcRuleRoutes,
  httpRuleRoutes,
  type LeftOut,
  neverMatchesCalls,
  type OpenProbes,
  type RulePolicy,
} from './rule-routes.ts';
import { whyTooManySteps } from './too-many-steps.ts';

/** What the routes of a port are made of. */
export interface RouteParts {
  readonly input: PortInput;
  readonly protocol: InboundProtocol['kind'];
  /** The Enforce policies with rules that select the port, oldest first. */
  readonly ruled: readonly (RulePolicy & { readonly object: KubeObject<'NetworkAuthenticationPolicy'> })[];
  readonly guard: Guard;
  readonly routes: PortRoutes;
  /** What AuthorizationPolicies give on single routes. */
  readonly byRoute: ReadonlyMap<object, readonly Authorization[]>;
  readonly steps: Steps;
}

export interface RoutedPort {
  readonly protocol: InboundProtocol;
  /** Names of the policies whose rules have no effect here. */
  readonly muted: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** The protocol with its routes: attached ones as they are, else what rules make, else one for everything. */
export const routePort = (parts: RouteParts): RoutedPort => {
  const { findings, ...routed } = routedAs(parts);
  return { ...routed, findings: [...foreignRoutes(parts), ...findings] };
};

const routedAs = (parts: RouteParts): RoutedPort => {
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
  readonly muted: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

const httpRoutes = (parts: RouteParts): Routes<HttpRoute> => {
  const { input, ruled, steps } = parts;
  const authorization = probeAuthorization(input.cluster);
  const probes = authorization && { requests: probeRequests(input.workload, input.port), authorization };
  const shut = probes === undefined ? shutProbes(parts, 'No probe networks are configured.') : [];
  if (hasRoutes(parts)) {
    const { routes, findings } = routesWithProbes(parts, probes);
    return {
      routes,
      muted: namesOf(parts),
      findings: [...routesAttached(parts), ...tooManyRoutes(parts), ...findings, ...shut],
    };
  }
  const isForeign = parts.routes.foreign.length > 0;
  if (ruled.length > 0 && !isForeign) {
    const { matchesRegex } = input;
    const room = { limit: input.cluster.rowBudgets.ruleRoutes, steps };
    const { routes, leftOut } = httpRuleRoutes(ruled, { guard: parts.guard, probes, matchesRegex, room });
    return { routes, muted: leftOut.names, findings: [...rulesLeftOut(parts, leftOut), ...shut] };
  }
  return {
    routes: [catchAllRoute, ...(probes === undefined ? [] : probeRoute(probes))],
    muted: isForeign ? namesOf(parts) : new Set(),
    findings: isForeign ? [...routesAttached(parts), ...shut] : shut,
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
  { input, routes: ofPort, byRoute, steps }: RouteParts,
  probes: OpenProbes | undefined,
): { readonly routes: readonly HttpRoute[]; readonly findings: readonly Finding[] } => {
  const asWritten = orNothing(routesSent(ofPort.sent.filter(isHttpRoute), { ofPort, byRoute }));
  count(asWritten, steps);
  if (probes === undefined) return { routes: asWritten, findings: [] };
  const { attachedMatches, compileSteps } = input.cluster.rowBudgets;
  const { routes, shut } = probeRoutes(probes, asWritten, {
    matchesRegex: input.matchesRegex,
    room: attachedMatches - matchesIn(asWritten),
    steps,
  });
  const why = `Routes and probes of the port make more than ${attachedMatches} matches together (${rowBudgetNames.attachedMatches}), or ${compileSteps} steps (${rowBudgetNames.compileSteps}).`;
  return {
    routes: [...routes, ...asWritten],
    findings: shut.map((request) => shutProbe(request, input.port, why)),
  };
};

/** A proxy without any route would make one for every request; this one matches none. */
const orNothing = <Route extends HttpRoute | GrpcRoute>(
  routes: readonly Route[],
): readonly (Route | typeof routeForNothing)[] => (routes.length === 0 ? [routeForNothing] : routes);

const routeForNothing = {
  meta: { kind: 'default', name: 'no-route' },
  hosts: [],
  authorizations: [],
  rules: [],
} as const satisfies HttpRoute & GrpcRoute;

const count = (routes: readonly (HttpRoute | GrpcRoute)[], steps: Steps): void => {
  for (const { rules } of routes)
    for (const { matches } of rules) for (const match of matches) steps.use(stepsToWriteMatch(match));
};

/** Whether routes of the port's protocol are attached, sent or not. */
const hasRoutes = ({ routes: { sent, leftOut } }: RouteParts): boolean => sent.length + leftOut.length > 0;

const grpcRoutes = (parts: RouteParts): Routes<GrpcRoute> => {
  const { input, ruled, routes: ofPort, byRoute, steps } = parts;
  if (hasRoutes(parts)) {
    const asWritten = orNothing(routesSent(ofPort.sent.filter(isGrpcRoute), { ofPort, byRoute }));
    count(asWritten, steps);
    const findings = [...routesAttached(parts), ...tooManyRoutes(parts)];
    return { routes: asWritten, muted: namesOf(parts), findings };
  }
  if (ofPort.foreign.length > 0)
    return { routes: [catchAllGrpcRoute], muted: namesOf(parts), findings: routesAttached(parts) };
  const { routes, leftOut } = grpcRuleRoutes(ruled, { limit: input.cluster.rowBudgets.ruleRoutes, steps });
  const silent = ruled.filter(({ rules }) => rules.some(neverMatchesCalls));
  const names = new Set(silent.map(({ name }) => name));
  const message = `Port ${input.port} speaks gRPC, where a rule of this policy matches no call: use POST, Exact /service/method or PathPrefix /service.`;
  const findings = [...rulesLeftOut(parts, leftOut), ...about(parts, 'RuleNeverMatches', { names, message })];
  return { routes, muted: leftOut.names, findings };
};

const namesOf = ({ ruled }: RouteParts): ReadonlySet<string> => new Set(ruled.map(({ name }) => name));

const about = (
  { ruled }: RouteParts,
  reason: FindingReason,
  { names, message }: { readonly names: ReadonlySet<string>; readonly message: string },
): readonly Finding[] =>
  ruled
    .filter(({ name }) => names.has(name))
    .map(({ object }) => ({ reason, about: refOf(object), message }));

const routesAttached = (parts: RouteParts): readonly Finding[] =>
  about(parts, 'RoutesAttached', {
    names: namesOf(parts),
    message: `Routes are attached to the Server of port ${parts.input.port}, so rules grant nothing there.`,
  });

const rulesLeftOut = (parts: RouteParts, { names, lacking }: LeftOut): readonly Finding[] => {
  const { port, cluster } = parts.input;
  const { ruleRoutes, compileSteps } = cluster.rowBudgets;
  switch (lacking) {
    case 'nothing':
      return [];
    case 'too-many-matches': {
      const message = `Rules make more than ${ruleRoutes} matches on port ${port} (${rowBudgetNames.ruleRoutes}), so the newest grant nothing there.`;
      return about(parts, 'TooManyMatches', { names, message });
    }
    case 'too-many-steps': {
      const message = `${whyTooManySteps(port, compileSteps)}, so the newest rules grant nothing there.`;
      return about(parts, 'TooManySteps', { names, message });
    }
  }
};

const foreignRoutes = ({ input: { port }, protocol, routes }: RouteParts): readonly Finding[] =>
  routes.foreign.map((route) => ({
    reason: 'RouteNeedsProtocol',
    about: refOf(route),
    message: foreignTo(protocol, port, route),
  }));

const tooManyRoutes = ({ input: { port, cluster }, routes: { leftOut } }: RouteParts): readonly Finding[] =>
  leftOut.map((route) => ({
    reason: 'TooManyMatches',
    about: refOf(route),
    message: `Routes make more than ${cluster.rowBudgets.attachedMatches} matches on port ${port} (${rowBudgetNames.attachedMatches}), so no request has this route there, and nothing is granted on single requests.`,
  }));

const shutProbes = ({ input: { workload, port } }: RouteParts, why: string): readonly Finding[] =>
  probeRequests(workload, port).map((request) => shutProbe(request, port, why));

const shutProbe = ({ method, path }: ProbeRequest, port: number, why: string): Finding => ({
  reason: 'ProbeNotOpened',
  about: { kind: 'workload' },
  message: `${why} So the probe ${method} ${path} on port ${port} passes only where a policy admits it.`,
});
