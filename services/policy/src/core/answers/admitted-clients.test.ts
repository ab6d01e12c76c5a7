import assert from 'node:assert/strict';
import test from 'node:test';
import type {
  Authorization,
  HttpMatch,
  HttpRoute,
  InboundServer,
} from '@gatehouse/core/inbound/inbound-server';
import { everywhere } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { accessOf, admittedClients } from './admitted-clients.ts';

const granted = (name: string, said: Partial<Authorization> = {}): Authorization => ({
  networks: everywhere,
  authentication: { kind: 'identities', identities: [parseIdentity(`${name}.demo`)], suffixes: [] },
  meta: { kind: 'default', name },
  ...said,
});

const anybody = granted('all-unauthenticated', { authentication: { kind: 'unauthenticated' } });
const anyIdentity = granted('all-authenticated', {
  authentication: { kind: 'identities', identities: [], suffixes: [[]] },
});

const route = (
  authorizations: readonly Authorization[],
  ...matches: readonly Partial<HttpMatch>[]
): HttpRoute => ({
  meta: { kind: 'default', name: 'rules' },
  hosts: [],
  authorizations,
  rules: [{ matches: matches.map((match) => ({ headers: [], queryParams: [], ...match })), filters: [] }],
});

const aServer = (
  authorizations: readonly Authorization[],
  ...routes: readonly HttpRoute[]
): InboundServer => ({
  protocol: { kind: 'http1', routes },
  authorizations,
  meta: { kind: 'default', name: 'deny' },
});

const api: Partial<HttpMatch> = { path: { kind: 'prefix', value: '/api' } };
const getUsers: Partial<HttpMatch> = { method: 'GET', path: { kind: 'exact', value: '/api/users' } };

test('a client that several routes admit is said once, with the widest of its requests', () => {
  const a = granted('a');
  const clients = admittedClients(
    aServer(
      [granted('all')],
      route([a, granted('b')], getUsers),
      route([a], api),
      route([a], api),
      route([], {}),
    ),
  );
  const said = clients.map(({ authorization: { meta }, requests }) => [
    'name' in meta ? meta.name : '',
    requests === 'all'
      ? 'all'
      : requests.map(({ match }) => ('path' in match.match ? match.match.path?.value : '')),
  ]);
  assert.deepEqual(said, [
    ['all', 'all'],
    ['a', ['/api']],
    ['b', ['/api/users']],
  ]);
});

test('a request is left out only if another surely covers it', () => {
  const header = (value: string) => ({ name: 'x', kind: 'exact' as const, value });
  const cases: readonly (readonly [Partial<HttpMatch>, Partial<HttpMatch>, number])[] = [
    [api, { path: { kind: 'prefix', value: '/api/v1' } }, 1],
    [api, { path: { kind: 'prefix', value: '/apis' } }, 2],
    [{}, getUsers, 1],
    [{ method: 'GET' }, { method: 'POST' }, 2],
    [api, { ...api, headers: [header('1')] }, 1],
    [{ ...api, headers: [header('1')] }, { ...api, headers: [header('2')] }, 2],
    [api, { path: { kind: 'regex', value: '/api/.*' } }, 2],
    [{ path: { kind: 'prefix', value: '/' } }, { path: { kind: 'regex', value: '/api/.*' } }, 1],
  ];
  assert.equal(cases.length, 8);
  for (const [a, b, count] of cases) {
    for (const matches of [
      [a, b],
      [b, a],
    ]) {
      const [clients] = admittedClients(aServer([], route([granted('a')], ...matches)));
      assert.equal(clients?.requests.length, count, JSON.stringify(matches));
    }
  }
});

test('the word for whom a port admits is about the whole port, and probes count for nothing', () => {
  const probe = granted('probe', { authentication: { kind: 'unauthenticated' } });
  const [anywhere] = everywhere;
  assert.ok(anywhere);
  const cases: readonly (readonly [InboundServer, string])[] = [
    [aServer([anybody, granted('a')]), 'open'],
    [aServer([granted('a'), anyIdentity]), 'authenticated'],
    [aServer([{ ...anybody, networks: [anywhere] }]), 'restricted'],
    [aServer([granted('a')]), 'restricted'],
    [aServer([], route([granted('a')], api)), 'restricted'],
    [aServer([], route([probe], api)), 'closed'],
    [aServer([]), 'closed'],
  ];
  assert.equal(cases.length, 7);
  for (const [server, word] of cases) assert.equal(accessOf(server), word);
});
