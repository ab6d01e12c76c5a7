import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import fc from 'fast-check';
import { isUnnormalized, pathOf, probesOf } from './decide/requests.ts';
import { attachedRoutes, spokenRoutes } from './decide/routes.ts';
import { possibleGovernors, protocolOf } from './decide/who-governs.ts';
import { count, rareIn, type Seen } from './properties/seen.ts';
import { type Case, cases, grpcRoutedCases, routedCases } from './random-situation.ts';

const seed = 20_261_203;

const sampled = (from: typeof cases, numRuns: number, note: (one: Case, seen: Seen) => void): Seen => {
  const seen: Seen = new Map();
  for (const one of fc.sample(from, { seed, numRuns })) note(one, seen);
  return seen;
};

const assertSeen = (seen: Seen, wanted: readonly string[], least: number): void => {
  const told = JSON.stringify(Object.fromEntries(seen));
  assert.deepEqual(rareIn(seen, wanted, least), [], `too rarely made: ${told}`);
};

const noteObject = ({ kind, spec }: KubeObject, seen: Seen): void =>
  count(seen, isRejected(spec) ? `${kind}, rejected` : kind);

const objectKinds = [
  'Pod',
  'ExternalWorkload',
  'Server of ExternalWorkloads',
  'Namespace',
  'NetworkAuthenticationPolicy',
  'NetworkAuthenticationPolicy, rejected',
  'Server',
  'Server, rejected',
  'AuthorizationPolicy',
  'ServerAuthorization',
  'MeshTLSAuthentication',
  'MeshTLSAuthentication, rejected',
  'NetworkAuthentication',
  'HTTPRoute',
  'HTTPRoute, rejected',
  'GatewayHTTPRoute',
  'GatewayHTTPRoute, rejected',
  'GRPCRoute',
  'GRPCRoute, rejected',
];

test('random situations hold every kind of object, good and rejected', () => {
  const seen = sampled(cases, 1_000, ({ situation }, found) => {
    const { pods, namespaces, networkAuthenticationPolicies, servers, routes } = situation;
    const { authorizationPolicies, serverAuthorizations, meshTlsAuthentications, networkAuthentications } =
      situation;
    for (const object of [
      ...pods,
      ...situation.externalWorkloads,
      ...namespaces,
      ...networkAuthenticationPolicies,
      ...servers,
      ...routes,
      ...authorizationPolicies,
      ...serverAuthorizations,
      ...meshTlsAuthentications,
      ...networkAuthentications,
    ])
      noteObject(object, found);
    const [governor] = possibleGovernors(situation);
    if (situation.target.kind === 'ExternalWorkload' && governor !== undefined)
      count(found, 'Server of ExternalWorkloads');
  });
  assertSeen(seen, objectKinds, 20);
  assert.equal(objectKinds.length, 19);
});

const speeches = ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'];

test('random situations are of every protocol, with and without rules and routes', () => {
  const seen = sampled(cases, 1_000, ({ situation }, found) => {
    const [server] = possibleGovernors(situation);
    const protocol = protocolOf(situation, server) ?? 'unread';
    count(found, protocol);
    const ruled = situation.networkAuthenticationPolicies.some(({ spec }) => 'rules' in spec && spec.rules);
    if (ruled) count(found, `${protocol} with rules`);
    const attached = server === undefined ? [] : attachedRoutes(situation, server);
    if (attached.length > 0) count(found, `${protocol} with routes`);
  });
  const wanted = speeches.flatMap((speech) => [speech, `${speech} with rules`, `${speech} with routes`]);
  assertSeen(seen, wanted, 5);
  assert.equal(wanted.length, 18);
});

const requestKinds = [
  'an unnormalised path where rules name paths',
  'a path with a trailing slash',
  'a query',
  'a header of another case',
  'a host',
  'no host',
  'a probe',
  'a call',
  'raw TCP',
];

test('random attempts are of every sort that rules and probes tell apart', () => {
  const seen = sampled(cases, 1_000, ({ situation, attempts }, found) => {
    const names = situation.networkAuthenticationPolicies.some(
      ({ spec }) => 'rules' in spec && spec.rules?.some(({ paths }) => paths !== undefined),
    );
    for (const { traffic } of attempts) {
      if (traffic.kind === 'tcp') {
        count(found, 'raw TCP');
        continue;
      }
      const path = pathOf(traffic);
      if (names && isUnnormalized(path)) count(found, 'an unnormalised path where rules name paths');
      if (path.length > 1 && path.endsWith('/')) count(found, 'a path with a trailing slash');
      if (traffic.target.includes('?')) count(found, 'a query');
      if (traffic.headers.some(({ name }) => name !== name.toLowerCase()))
        count(found, 'a header of another case');
      count(found, traffic.host === undefined ? 'no host' : 'a host');
      if (probesOf(situation).some((one) => one.method === traffic.method && one.path === path))
        count(found, 'a probe');
      if (traffic.method === 'POST' && path.split('/').length === 3) count(found, 'a call');
    }
  });
  assertSeen(seen, requestKinds, 50);
  assert.equal(requestKinds.length, 9);
});

/** What of routes decides, by what is written in those that count. */
const noteRoutes = ({ situation }: Case, seen: Seen): void => {
  const [server] = possibleGovernors(situation);
  const protocol = protocolOf(situation, server);
  if (server === undefined || protocol === undefined) return;
  const routes = spokenRoutes(attachedRoutes(situation, server), protocol);
  if (routes.length > 1) count(seen, 'several routes');
  for (const { kind, spec } of routes) {
    count(seen, isRejected(spec) ? `${kind}, rejected` : kind);
    if (isRejected(spec)) continue;
    if (spec.hosts.length > 0) count(seen, `hosts of ${kind}`);
    for (const { matches, filters } of spec.rules) {
      for (const { kind: filter } of filters) count(seen, `filter ${filter}`);
      for (const match of matches) {
        if (match.headers.length > 0) count(seen, `headers of ${kind}`);
        if ('service' in match) {
          const parts = [match.service && 'service', match.method && 'method'].filter(Boolean);
          count(seen, `a call by ${parts.join(' and ') || 'nothing'}`);
        } else {
          count(seen, `path ${match.path?.kind ?? 'any'}`);
          if (match.queryParams.length > 0) count(seen, 'query parameters');
          if (match.method !== undefined) count(seen, 'a method');
        }
      }
    }
  }
};

const ofHttp = [
  'several routes',
  'HTTPRoute',
  'GatewayHTTPRoute',
  'HTTPRoute, rejected',
  'GatewayHTTPRoute, rejected',
  'hosts of HTTPRoute',
  'hosts of GatewayHTTPRoute',
  'headers of HTTPRoute',
  'path any',
  'path exact',
  'path prefix',
  'path regex',
  'query parameters',
  'a method',
  'filter request-headers',
  'filter redirect',
];

test('random routes of HTTP Servers have hosts, filters and every sort of match', () => {
  assertSeen(sampled(routedCases, 500, noteRoutes), ofHttp, 10);
  assert.equal(ofHttp.length, 16);
});

const ofGrpc = [
  'several routes',
  'GRPCRoute',
  'GRPCRoute, rejected',
  'hosts of GRPCRoute',
  'headers of GRPCRoute',
  'a call by nothing',
  'a call by service',
  'a call by method',
  'a call by service and method',
  'filter request-headers',
];

test('random routes of gRPC Servers have hosts, filters and every sort of call', () => {
  assertSeen(sampled(grpcRoutedCases, 500, noteRoutes), ofGrpc, 10);
  assert.equal(ofGrpc.length, 10);
});
