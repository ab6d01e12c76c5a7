import type {
  GrpcMatch,
  HttpFilter,
  HttpMatch,
  RequestHeadersFilter,
} from '@gatehouse/core/inbound/inbound-server';
import type { GrpcRouteSpec, HttpRouteSpec } from '@gatehouse/core/resources/kinds/gateway';
import { aGatewayHttpRoute, aGrpcRoute, anHttpRoute, aRejected } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import type { Route } from './decide/situation.ts';
import { createdAt, maybe, withoutUndefined } from './random-policies.ts';

/** Random routes on the Servers of random-policies.ts, of paths, hosts and calls that collide as those of rules do. */
const routePath = fc.constantFrom(
  { kind: 'prefix', value: '/' },
  { kind: 'prefix', value: '/api' },
  { kind: 'prefix', value: '/api/v1/' },
  { kind: 'prefix', value: '/healthz' },
  { kind: 'exact', value: '/healthz' },
  { kind: 'exact', value: '/api/v1' },
  { kind: 'regex', value: '/api/[a-z0-9]+' },
  { kind: 'regex', value: '/.*' },
) as fc.Arbitrary<NonNullable<HttpMatch['path']>>;
const routeHeader = fc.constantFrom(
  { name: 'x-tenant', kind: 'exact', value: 'blue' },
  { name: 'X-Tenant', kind: 'regex', value: 'b.*' },
  { name: 'x-env', kind: 'exact', value: 'a' },
) as fc.Arbitrary<HttpMatch['headers'][number]>;
const routeQuery = fc.constantFrom(
  { name: 'color', kind: 'exact', value: 'blue' },
  { name: 'color', kind: 'regex', value: 'blu+e' },
) as fc.Arbitrary<HttpMatch['queryParams'][number]>;
const routeMatch: fc.Arbitrary<HttpMatch> = fc
  .record({
    path: fc.option(routePath, { nil: undefined, freq: 4 }),
    method: maybe(fc.constantFrom('GET', 'POST')),
    headers: fc.array(routeHeader, { maxLength: 2 }),
    queryParams: fc.oneof(
      { arbitrary: fc.constant([]), weight: 3 },
      { arbitrary: fc.array(routeQuery, { maxLength: 2 }), weight: 1 },
    ),
  })
  .map((match) => withoutUndefined(match) as HttpMatch);
const requestHeaders: RequestHeadersFilter = {
  kind: 'request-headers',
  add: [{ name: 'x-seen', value: '1' }],
  set: [],
  remove: [],
};
const filter = fc.constantFrom<HttpFilter>(requestHeaders, {
  kind: 'redirect',
  path: { kind: 'full', value: '/moved' },
  status: 302,
});
const hosts = fc.oneof(
  { arbitrary: fc.constant([]), weight: 2 },
  { arbitrary: fc.subarray(['example.com', '*.example.com', 'a.example.com', '*.com']), weight: 1 },
);
/** The parts of a rule that a kind of route has of its own. */
interface RuleParts<Match, Filter> {
  readonly matches: fc.Arbitrary<Match[]>;
  readonly filter: fc.Arbitrary<Filter>;
}

const specOf = <Match, Filter>(
  servers: readonly (readonly string[])[],
  { matches, filter }: RuleParts<Match, Filter>,
) =>
  fc.record({
    servers: fc.constantFrom(...servers),
    services: fc.constant([]),
    hosts,
    rules: fc.array(fc.record({ matches, filters: fc.array(filter, { maxLength: 1 }) }), { maxLength: 3 }),
  });

const routeSpec = (servers: readonly (readonly string[])[]): fc.Arbitrary<HttpRouteSpec> =>
  specOf(servers, { matches: fc.array(routeMatch, { maxLength: 2 }), filter });

/** Names of services and methods that begin alike, and kubelet's own call; '' = any. */
const callMatch: fc.Arbitrary<GrpcMatch> = fc.record({
  service: fc.constantFrom('', 'pkg.Svc', 'pkg.Svc', 'pkg', 'grpc.health.v1.Health'),
  method: fc.constantFrom('', '', 'Get', 'Check'),
  headers: fc.array(routeHeader, { maxLength: 2 }),
});
const grpcRouteSpec = (servers: readonly (readonly string[])[]): fc.Arbitrary<GrpcRouteSpec> =>
  specOf(servers, {
    matches: fc.array(callMatch, { minLength: 1, maxLength: 2 }),
    filter: fc.constant(requestHeaders),
  });

type Attachments = readonly (readonly string[] | 'all')[];

/** What is left of a route that cannot be read, by what it still keeps. */
const rejectedSpec = <Match>(attachments: Attachments, match: fc.Arbitrary<Match>) =>
  fc.record({
    attachedTo: fc.constantFrom(...attachments),
    keeps: fc.array(fc.record({ hosts, matches: fc.array(match, { maxLength: 2 }) }), { maxLength: 2 }),
    extent: fc.constantFrom('known' as const, 'known' as const, 'unknown' as const),
    createdAt,
  });

const rejectedHttpRoute = (attachments: Attachments): fc.Arbitrary<Route> =>
  rejectedSpec(attachments, routeMatch).chain((spec) =>
    fc.constantFrom<Route>(aRejected('HTTPRoute', spec), aRejected('GatewayHTTPRoute', spec)),
  );

const rejectedGrpcRoute = (attachments: Attachments): fc.Arbitrary<Route> =>
  rejectedSpec(attachments, callMatch).map((spec): Route => aRejected('GRPCRoute', spec));

const goodHttpRoute = (servers: readonly (readonly string[])[]): fc.Arbitrary<Route> =>
  fc
    .tuple(routeSpec(servers), createdAt)
    .chain(([spec, at]) =>
      fc.constantFrom<Route>(
        anHttpRoute({ ...spec, createdAt: at }),
        aGatewayHttpRoute({ ...spec, createdAt: at }),
      ),
    );

const goodGrpcRoute = (servers: readonly (readonly string[])[]): fc.Arbitrary<Route> =>
  fc
    .tuple(grpcRouteSpec(servers), createdAt)
    .map(([spec, at]): Route => aGrpcRoute({ ...spec, createdAt: at }));

const of = (...weighted: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Route>])[]) =>
  fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const anywhere = [['server-0'], ['server-0', 'server-1'], ['server-1'], []];
const perhapsAnywhere: Attachments = [['server-0'], ['server-1'], 'all'];

/** Attached to this or that Server or to none; a few rejected. */
export const routes = fc.array(
  of(
    [8, goodHttpRoute(anywhere)],
    [2, rejectedHttpRoute(perhapsAnywhere)],
    [2, goodGrpcRoute(anywhere)],
    [1, rejectedGrpcRoute(perhapsAnywhere)],
  ),
  { maxLength: 3 },
);

/** All attached to the same Server, which speaks HTTP. */
export const attachedRoutes = fc.array(
  of(
    [12, goodHttpRoute([['server-0']])],
    [2, rejectedHttpRoute([['server-0'], 'all'])],
    [1, goodGrpcRoute([['server-0']])],
  ),
  { minLength: 1, maxLength: 3 },
);

/** The same of a Server that speaks gRPC. */
export const attachedGrpcRoutes = fc.array(
  of(
    [12, goodGrpcRoute([['server-0']])],
    [2, rejectedGrpcRoute([['server-0'], 'all'])],
    [1, goodHttpRoute([['server-0']])],
    [1, rejectedHttpRoute([['server-0'], 'all'])],
  ),
  { minLength: 1, maxLength: 3 },
);

/** Each attached to one of two Servers. */
export const routesOfEither = fc.array(goodHttpRoute([['server-0'], ['server-1']]), {
  minLength: 1,
  maxLength: 3,
});
export const grpcRoutesOfEither = fc.array(goodGrpcRoute([['server-0'], ['server-1']]), {
  minLength: 1,
  maxLength: 3,
});
