import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GrpcRoute, HttpRoute } from '@gatehouse/core/inbound/inbound-server';
import fc from 'fast-check';
import { compileSituation } from '../../../testing/compile-situation.ts';
import { rareIn, type Seen } from '../../../testing/properties/seen.ts';
import { type VerdictScope, verdictClasses, verdictsAgree } from '../../../testing/properties/verdicts.ts';
import { cases, grpcRoutedCases, routedCases } from '../../../testing/random-situation.ts';
import type { CompiledPort } from './model.ts';

const runs = 2_000;
const seed = 20_260_821;

it('a proxy that enforces the compiled row gives the verdict that the policies give', () => {
  const seen: Seen = new Map();
  fc.assert(verdictsAgree({ seen }), { numRuns: runs, seed, endOnFailure: false });
  const told = JSON.stringify(Object.fromEntries(seen));
  assert.deepEqual(rareIn(seen, verdictClasses, 5), [], `too rarely seen: ${told}`);
});

it('the same where much depends on routes', () => {
  const from = fc.oneof(routedCases, grpcRoutedCases);
  fc.assert(verdictsAgree({ from }), { numRuns: runs / 4, seed, endOnFailure: false });
});

it('the row does not depend on the order in which anything was seen', () => {
  fc.assert(
    fc.property(cases, ({ situation }) => {
      const reversed = {
        ...situation,
        pods: situation.pods.toReversed(),
        namespaces: situation.namespaces.toReversed(),
        networkAuthenticationPolicies: situation.networkAuthenticationPolicies.toReversed(),
        servers: situation.servers.toReversed(),
        authorizationPolicies: situation.authorizationPolicies.toReversed(),
        serverAuthorizations: situation.serverAuthorizations.toReversed(),
        rateLimits: situation.rateLimits.toReversed(),
        routes: situation.routes.toReversed(),
      };
      assert.deepEqual(compileSituation(reversed), compileSituation(situation));
    }),
    { numRuns: runs / 4, seed },
  );
});

type Mutate = <Route extends HttpRoute | GrpcRoute>(routes: readonly Route[]) => readonly Route[];

/** The compiler as if it made other routes of what it found. */
const routing =
  (mutate: Mutate): typeof compileSituation =>
  (situation) => {
    const compiled = compileSituation(situation);
    return {
      ...compiled,
      server: { ...compiled.server, protocol: rerouted(compiled.server.protocol, mutate) },
    };
  };

const rerouted = (
  protocol: CompiledPort['server']['protocol'],
  mutate: Mutate,
): CompiledPort['server']['protocol'] => {
  switch (protocol.kind) {
    case 'opaque':
    case 'tls':
      return protocol;
    case 'grpc':
      return { ...protocol, routes: mutate(protocol.routes) };
    case 'detect':
    case 'http1':
    case 'http2':
      return { ...protocol, routes: mutate(protocol.routes) };
  }
};

const isNamed = ({ meta }: HttpRoute | GrpcRoute, name: string): boolean =>
  meta.kind === 'default' && meta.name === name;

const each =
  (mutate: <Route extends HttpRoute | GrpcRoute>(route: Route) => Route): Mutate =>
  (routes) =>
    routes.map(mutate);

const mutants: readonly (readonly [what: string, scope: VerdictScope])[] = [
  ['coarser rules come before finer ones', { compile: routing((routes) => routes.toReversed()) }],
  [
    'where rules meet only the first policy counts',
    {
      compile: routing(
        each((route) =>
          isNamed(route, 'rules') ? { ...route, authorizations: route.authorizations.slice(0, 1) } : route,
        ),
      ),
    },
  ],
  [
    'unnormalised paths have no guard',
    { compile: routing((routes) => routes.filter((route) => !isNamed(route, 'unnormalized-path'))) },
  ],
  [
    'what no rule mentions has no route',
    {
      compile: routing((routes) =>
        routes.length > 1 ? routes.filter((one) => !isNamed(one, 'default')) : routes,
      ),
    },
  ],
  [
    'probes carry nothing of the rule beneath',
    {
      compile: routing(
        each((route) =>
          isNamed(route, 'probe') ? { ...route, authorizations: route.authorizations.slice(-1) } : route,
        ),
      ),
    },
  ],
  [
    'the hosts of routes do not count',
    { compile: routing(each((route) => ({ ...route, hosts: [] }))), from: routedCases },
  ],
  [
    'a route is attached to every Server',
    {
      compile: (situation) =>
        compileSituation({
          ...situation,
          routes: situation.routes.map((route) => ({
            ...route,
            spec: { ...route.spec, servers: ['server-0', 'server-1'] },
          })) as typeof situation.routes,
        }),
      from: fc.oneof(routedCases, grpcRoutedCases),
    },
  ],
  [
    'GRPCRoutes count wherever they are attached',
    {
      compile: (situation) =>
        compileSituation({
          ...situation,
          servers: situation.servers.map((server) => ({
            ...server,
            spec: { ...server.spec, proxyProtocol: 'gRPC' },
          })) as typeof situation.servers,
        }),
    },
  ],
  [
    'an ExternalWorkload is governed like the pod with its labels',
    {
      compile: ({ target, ...situation }) =>
        compileSituation({
          ...situation,
          target: situation.pods.find(({ meta }) => meta.name === target.meta.name) ?? target,
        }),
    },
  ],
];

for (const [what, scope] of mutants) {
  it(`the property notices a compiler by which ${what}`, () => {
    const { failed } = fc.check(verdictsAgree(scope), { numRuns: runs, seed, endOnFailure: true });
    assert.equal(failed, true);
  });
}
it('covers the table of mutants', () => assert.equal(mutants.length, 9));
