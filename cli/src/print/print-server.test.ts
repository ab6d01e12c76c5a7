import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authorization, HttpRoute, InboundServer, Meta } from '@gatehouse/core/inbound/inbound-server';
import { unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import { parseNetwork } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { printServer } from './print-server.ts';

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
const named = (name: string): Meta => ({ kind: 'default', name });

const net = parseNetwork('10.0.0.7');
assert.ok(net.ok);

const allowing = (...identities: readonly string[]): Authorization => ({
  networks: [{ net: net.value, except: [] }],
  authentication: { kind: 'identities', identities: identities.map(parseIdentity), suffixes: [] },
  meta: {
    kind: 'resource',
    resource: { group: 'policy.linkerd.io', kind: 'networkauthenticationpolicy', name: 'p' },
  },
});

const route = (
  name: string,
  path: { readonly kind: 'prefix' | 'regex'; readonly value: string },
  authorizations: readonly Authorization[] = [],
): HttpRoute => ({
  meta: named(name),
  hosts: [],
  authorizations,
  rules: [{ matches: [{ path, headers: [], queryParams: [] }], filters: [] }],
});

const server = (
  routes: readonly HttpRoute[],
  ...authorizations: readonly Authorization[]
): InboundServer => ({
  protocol: { kind: 'detect', timeoutMs: 10_000, routes },
  authorizations,
  meta: named('deny'),
});

const everything = { kind: 'prefix', value: '/' } as const;
const ours = 'web.demo.serviceaccount.identity.gatehouse.cluster.local';
const theirs = 'web.demo.serviceaccount.identity.linkerd.example.org';

test('a row that allows nobody says so', () => {
  assert.equal(
    printServer(server([route('default', everything)]), mesh),
    [
      'detect, governed by default deny',
      '  denies all traffic',
      '  route default default: any method prefix /',
    ].join('\n'),
  );
});

test('a row that limits requests says how far', () => {
  const rateLimit = {
    meta: {
      kind: 'resource',
      resource: { group: 'policy.linkerd.io', kind: 'HTTPLocalRateLimitPolicy', name: 'l' },
    },
    total: 100,
    identity: 10,
    overrides: [{ requestsPerSecond: 50, identities: [ours, theirs].map(parseIdentity) }],
  } as const;
  const protocol = { kind: 'http1', routes: [], rateLimit } as const;
  assert.match(
    printServer({ ...server([]), protocol }, mesh),
    /\n {2}limits all clients together to 100\/s, each identity to 10\/s, web\.demo and web\.demo\.serviceaccount\.identity\.linkerd\.example\.org to 50\/s {2}\(HTTPLocalRateLimitPolicy l\)$/m,
  );
});

test('what routes allow does not contradict what the whole port allows, and the guard is told in words', () => {
  const guard = route('unnormalized-path', { kind: 'regex', value: unnormalizedPath });
  const api = route('rules', { kind: 'prefix', value: '/api' }, [allowing(ours)]);
  assert.equal(
    printServer(server([guard, api]), mesh),
    [
      'detect, governed by default deny',
      '  denies what no route below allows',
      '  route default unnormalized-path: any method a path that is not normalized',
      '  route default rules: any method prefix /api',
      '    allow web.demo from 10.0.0.7/32  (networkauthenticationpolicy p)',
    ].join('\n'),
  );
});

test('identities of this mesh are shortened, those of others are not, and no other expression is taken for the guard', () => {
  const text = printServer(
    server([route('default', { kind: 'regex', value: '/a.*' })], allowing(ours, theirs)),
    mesh,
  );
  assert.match(
    text,
    /\n {2}allow web\.demo, web\.demo\.serviceaccount\.identity\.linkerd\.example\.org from /,
  );
  assert.match(text, /any method regex \/a\.\*$/);
});
