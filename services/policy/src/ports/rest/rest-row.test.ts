import assert from 'node:assert/strict';
import test from 'node:test';
import type { HttpMatch, InboundProtocol } from '@gatehouse/core/inbound/inbound-server';
import { unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import { everywhere } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { CompiledPort } from '../../core/inbound/model.ts';
import { rowItem } from './rest-row.ts';

const context = { namespace: 'demo', policy: () => undefined, sourcesOf: () => [] };
const encoded = { bytes: new Uint8Array(), version: 'v', refresh: true };

const compiled = (protocol: InboundProtocol): CompiledPort => ({
  server: { protocol, authorizations: [], meta: { kind: 'default', name: 'deny' } },
  governedBy: { kind: 'default-policy', base: 'deny', from: 'cluster' },
  steps: 0,
  contributions: [],
  findings: [],
  audit: undefined,
});

const matchesOf = (protocol: InboundProtocol): readonly string[] =>
  rowItem({ compiled: compiled(protocol), encoded }, context).routes.flatMap(({ matches }) =>
    matches.map(({ text }) => text),
  );

const http = (match: Partial<HttpMatch>): readonly string[] =>
  matchesOf({
    kind: 'http1',
    routes: [
      {
        meta: { kind: 'default', name: 'x' },
        hosts: [],
        authorizations: [],
        rules: [{ matches: [{ headers: [], queryParams: [], ...match }], filters: [] }],
      },
    ],
  });

test('a limit is told with its policy, in numbers', () => {
  const rateLimit = {
    meta: {
      kind: 'resource',
      resource: { group: 'policy.linkerd.io', kind: 'HTTPLocalRateLimitPolicy', name: 'l' },
    },
    total: 9,
    identity: undefined,
    overrides: [{ requestsPerSecond: 2, identities: [parseIdentity('web.demo.example')] }],
  } as const;
  const limitOf = (protocol: InboundProtocol) =>
    rowItem({ compiled: compiled(protocol), encoded }, context).rateLimit;
  assert.deepEqual(limitOf({ kind: 'http1', routes: [], rateLimit }), {
    by: {
      kind: 'object',
      object: { group: 'policy.linkerd.io', kind: 'HTTPLocalRateLimitPolicy', namespace: 'demo', name: 'l' },
    },
    total: 9,
    identity: null,
    overrides: [{ requestsPerSecond: 2, identities: ['web.demo.example'] }],
  });
  assert.equal(limitOf({ kind: 'http1', routes: [] }), null);
});

test('matches are printed so that a reader sees at once what they match', () => {
  const cases: (readonly [Partial<HttpMatch>, string])[] = [
    [{}, '* /*'],
    [{ method: 'GET', path: { kind: 'exact', value: '/api' } }, 'GET /api'],
    [{ path: { kind: 'prefix', value: '/' } }, '* /*'],
    [{ path: { kind: 'prefix', value: '/api' } }, '* /api/*'],
    [{ path: { kind: 'regex', value: '/a.*' } }, '* ~/a.*'],
    [
      {
        headers: [
          { name: 'x-tenant', kind: 'exact', value: 'blue' },
          { name: 'x-team', kind: 'regex', value: 'r.d' },
        ],
        queryParams: [{ name: 'page', kind: 'exact', value: '1' }],
      },
      '* /* x-tenant=blue x-team~r.d ?page=1',
    ],
  ];
  cases.push([{ path: { kind: 'regex', value: unnormalizedPath } }, '* <a path that is not normalized>']);
  assert.equal(cases.length, 7);
  for (const [match, printed] of cases) assert.deepEqual(http(match), [printed]);
});

test('gRPC routes are printed as service and method, ports without routes have none', () => {
  const grpc: InboundProtocol = {
    kind: 'grpc',
    routes: [
      {
        meta: { kind: 'default', name: 'x' },
        hosts: [],
        authorizations: [],
        rules: [
          {
            matches: [
              { service: 'pkg.Svc', method: '', headers: [] },
              { service: '', method: '', headers: [{ name: 'a', kind: 'exact', value: 'b' }] },
            ],
            filters: [],
          },
          { matches: [], filters: [] },
        ],
      },
    ],
  };
  assert.deepEqual(matchesOf(grpc), ['/pkg.Svc/*', '/*/* a=b', '/*/*']);
  assert.deepEqual(matchesOf({ kind: 'opaque' }), []);
});

test('a row says who governs it, from whom its default is, and what its author should know', () => {
  const row: CompiledPort = {
    ...compiled({ kind: 'tls' }),
    server: {
      protocol: { kind: 'tls' },
      authorizations: [
        {
          networks: everywhere,
          authentication: {
            kind: 'identities',
            identities: [parseIdentity('a.demo')],
            suffixes: [[], ['demo', 'mesh']],
          },
          meta: { kind: 'default', name: 'all-authenticated' },
        },
      ],
      meta: { kind: 'default', name: 'all-authenticated' },
    },
    findings: [
      { reason: 'UnreadableDefault', about: { kind: 'workload' }, message: 'It cannot be read.' },
      {
        reason: 'Overlapped',
        about: { kind: 'Server', namespace: 'demo', name: 'young' },
        message: 'An older one governs.',
      },
    ],
  };
  const report = rowItem({ compiled: row, encoded }, context);
  assert.deepEqual(report.governedBy, {
    kind: 'default-policy',
    objects: [],
    base: 'deny',
    from: 'cluster',
    text: 'default deny of the cluster',
  });
  assert.deepEqual(report.authorizations, [
    {
      by: { kind: 'default', name: 'all-authenticated' },
      authentication: 'identities',
      identities: ['a.demo', '*', '*.demo.mesh'],
      networks: [
        { cidr: '0.0.0.0/0', except: [] },
        { cidr: '::/0', except: [] },
      ],
    },
  ]);
  assert.deepEqual(report.conditions, [
    { reason: 'UnreadableDefault', about: null, message: 'It cannot be read.' },
    {
      reason: 'Overlapped',
      about: { group: 'policy.linkerd.io', kind: 'Server', namespace: 'demo', name: 'young' },
      message: 'An older one governs.',
    },
  ]);
});
