import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { HttpFilter, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { isRejected } from '@gatehouse/core/resources/kinds';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { anAuthorizationPolicy, aServer } from '@gatehouse/testing/builders';
import { readWire } from '@gatehouse/testing/wire-objects';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import { compileSituation } from '../../../testing/compile-situation.ts';
import { aSituation, asPod, frontend, trafficOf, verdictOf } from '../../../testing/situation.ts';
import { encodeInbound } from '../../ports/inbound/encode-inbound.ts';
import type { RouteObject } from './attached-routes.ts';

type Kind = 'HTTPRoute' | 'GatewayHTTPRoute' | 'GRPCRoute';
const http = ['HTTPRoute', 'GatewayHTTPRoute'] as const;
const every = [...http, 'GRPCRoute'] as const;

/** The frontend is admitted by one route for everything, which has the filter. */
const filtered = (kind: Kind, filter: object) => {
  const parentRefs = [{ group: 'policy.linkerd.io', kind: 'Server', name: 'a' }];
  const { object, warnings } = readWire(kind, {
    name: 'r',
    spec: { parentRefs, rules: [{ filters: [filter] }] },
  });
  const situation = aSituation({
    servers: [aServer({ proxyProtocol: kind === 'GRPCRoute' ? 'gRPC' : 'HTTP/2' })],
    routes: [object as RouteObject],
    authorizationPolicies: [anAuthorizationPolicy({ target: { kind, name: 'r' }, authentications: [] })],
  });
  return { object, warnings, situation };
};

/** As the proxy reads it. */
const received = (server: InboundServer): InboundServer => {
  const read = decodeInbound(encodeInbound(server), checkProxyRegex);
  assert(read.ok, 'the proxy could not read the row');
  return read.value;
};

const call = 'POST /p.S/M';

const modifier = (change: object) => ({ type: 'RequestHeaderModifier', requestHeaderModifier: change });
const redirect = (to: object) => ({ type: 'RequestRedirect', requestRedirect: to });
const headers = (said: Partial<Extract<HttpFilter, { kind: 'request-headers' }>>): HttpFilter => ({
  kind: 'request-headers',
  add: [],
  set: [],
  remove: [],
  ...said,
});

const sent: readonly (readonly [what: string, kinds: readonly Kind[], filter: object, as: HttpFilter])[] = [
  [
    'adds a header',
    every,
    modifier({ add: [{ name: 'X-A', value: '1' }] }),
    headers({ add: [{ name: 'x-a', value: '1' }] }),
  ],
  [
    'sets a header',
    every,
    modifier({ set: [{ name: 'x-a', value: '' }] }),
    headers({ set: [{ name: 'x-a', value: '' }] }),
  ],
  ['removes a header', every, modifier({ remove: ['X-A'] }), headers({ remove: ['x-a'] })],
  ['redirects to a scheme', http, redirect({ scheme: 'https' }), { kind: 'redirect', scheme: 'https' }],
  [
    'redirects to a host and port',
    http,
    redirect({ hostname: 'b.example', port: 8443 }),
    { kind: 'redirect', host: 'b.example', port: 8443 },
  ],
  ['redirects with a status', http, redirect({ statusCode: 308 }), { kind: 'redirect', status: 308 }],
  [
    'redirects to a whole path',
    http,
    redirect({ path: { type: 'ReplaceFullPath', replaceFullPath: '/b' } }),
    { kind: 'redirect', path: { kind: 'full', value: '/b' } },
  ],
  [
    'redirects below another prefix',
    http,
    redirect({ path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/b' } }),
    { kind: 'redirect', path: { kind: 'prefix', value: '/b' } },
  ],
];

describe('a filter that the proxy applies to inbound requests is sent', () => {
  for (const [what, kinds, filter, as] of sent) {
    for (const kind of kinds) {
      it(`${kind}: ${what}`, () => {
        const { situation, warnings } = filtered(kind, filter);
        const attempt = { ...asPod(frontend), traffic: trafficOf(call) };
        const verdict = evaluate(
          received(compileSituation(situation).server),
          attempt,
          situation.matchesRegex,
        );
        assert(verdict.kind === 'allowed');
        assert.deepEqual(verdict.filters, [as]);
        assert.deepEqual(warnings, []);
      });
    }
  }
  it('covers the table', () => assert.equal(sent.length, 8));
});

it('ResponseHeaderModifier is left out with a warning, and the requests of the route go on', () => {
  for (const kind of every) {
    const filter = { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['x'] } };
    const { situation, warnings } = filtered(kind, filter);
    assert.equal(verdictOf(situation, asPod(frontend), call), 'allowed');
    assert.deepEqual(warnings, [
      'spec.rules[0].filters[0]: ResponseHeaderModifier is left out: the proxy changes no response headers of inbound requests',
    ]);
  }
});

/** What Linkerd leaves out the whole route for, what no proxy knows, and what is not possible for a call. */
const rejected: readonly (readonly [filter: object, kinds: readonly Kind[]])[] = [
  [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'b', port: 1 } } }, every],
  [{ type: 'URLRewrite', urlRewrite: { hostname: 'b.example' } }, every],
  [{ type: 'ExtensionRef', extensionRef: { group: 'g', kind: 'k', name: 'n' } }, every],
  [{ type: 'CORS', cors: {} }, every],
  [{ type: 'ExternalAuth', externalAuth: {} }, every],
  // Failure injection is in the proxy's messages, but no resource has a filter for it.
  [{ type: 'FailureInjector', failureInjector: { status: 503 } }, every],
  [redirect({ port: 8443 }), ['GRPCRoute']],
  [redirect({ hostname: 'a b' }), every],
  [modifier({ set: [{ name: 'x-a', value: 'b\nc' }] }), every],
];

describe('any other filter rejects the route, whose requests are denied', () => {
  for (const [filter, kinds] of rejected) {
    for (const kind of kinds) {
      it(`${kind}: ${JSON.stringify(filter)}`, () => {
        const { object, situation } = filtered(kind, filter);
        assert(isRejected(object.spec));
        assert.equal(verdictOf(situation, asPod(frontend), call), 'unauthorized');
        const { findings, server } = compileSituation(situation);
        assert.deepEqual(
          findings.map(({ reason }) => reason),
          ['Rejected', 'TargetRejected'],
        );
        assert.deepEqual(received(server).authorizations, []);
      });
    }
  }
  it('covers the table', () => assert.equal(rejected.length, 9));
});
