import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authorization, HttpRoute, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { everywhere, parseNetwork } from '@gatehouse/core/ip-network';
import { anybody, aServerRow } from '@gatehouse/testing/inbound-attempt';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { compare, type Outcome } from './compare.ts';

const pod = (annotations: WireObject, spec: WireObject = { containers: [] }): WireObject => ({
  kind: 'Pod',
  metadata: { annotations },
  spec,
});

const compared = (
  [linkerd, gatehouse]: readonly [InboundServer, InboundServer],
  { about = pod({}), port = 8080 }: { readonly about?: WireObject; readonly port?: number } = {},
): Outcome => {
  const row = (server: InboundServer) => ({ kind: 'row' as const, server });
  return compare({ linkerd: row(linkerd), gatehouse: row(gatehouse), pod: about, port, attempts: [] });
};

const from = (cidr: string): Authorization => {
  const net = parseNetwork(cidr);
  assert(net.ok);
  return { ...anybody('x'), networks: [{ net: net.value, except: [] }] };
};
const route = (name: string, path: string): HttpRoute => ({
  meta: { kind: 'resource', resource: { group: 'g', kind: 'HTTPRoute', name } },
  hosts: [],
  authorizations: [],
  rules: [{ matches: [{ path: { kind: 'exact', value: path }, headers: [], queryParams: [] }], filters: [] }],
});
const routed = (...routes: readonly HttpRoute[]): InboundServer =>
  aServerRow({ protocol: { kind: 'detect', timeoutMs: 10_000, routes } });

test('rows that mean the same agree: order of a union, what is said twice', () => {
  const [one, two] = [from('10.0.0.0/8'), from('192.168.0.0/16')];
  const twice = { ...one, networks: [...one.networks, ...one.networks] };
  const rows = [
    aServerRow({ authorizations: [one, two] }),
    aServerRow({ authorizations: [two, twice] }),
  ] as const;
  assert.deepEqual(compared(rows), { kind: 'agree', differing: [] });
});

test('every request may be said in three ways', () => {
  const any = { headers: [], queryParams: [] };
  const saying = (matches: HttpRoute['rules'][number]['matches']): InboundServer =>
    routed({ ...route('a', '/'), rules: [{ matches, filters: [] }] });
  const rows = [saying([]), saying([any]), saying([{ path: { kind: 'prefix', value: '/' }, ...any }])];
  for (const one of rows) for (const other of rows) assert.equal(compared([one, other]).kind, 'agree');
  assert.equal(compared([saying([]), saying([{ ...any, method: 'GET' }])]).kind, 'disagree');
});

test('a rate limit that limits nothing is none, and any other is one', () => {
  const limited = (total: number | undefined): InboundServer =>
    aServerRow({
      protocol: {
        kind: 'http1',
        routes: [],
        rateLimit: { meta: undefined, total, identity: undefined, overrides: [] },
      },
    });
  const unlimited = aServerRow({ protocol: { kind: 'http1', routes: [] } });
  assert.equal(compared([limited(undefined), unlimited]).kind, 'agree');
  assert.equal(compared([limited(1), unlimited]).kind, 'disagree');
  assert.equal(compared([limited(1), limited(2)]).kind, 'disagree');
});

test('rows that do not mean the same disagree', () => {
  const open = aServerRow({ authorizations: [anybody('x')] });
  const cases: readonly (readonly [InboundServer, InboundServer])[] = [
    [open, aServerRow({ authorizations: [] })],
    [open, aServerRow({ authorizations: [{ ...anybody('x'), networks: everywhere.slice(1) }] })],
    [open, aServerRow({ authorizations: [anybody('y')] })],
    [open, { ...open, meta: { kind: 'default', name: 'audit' } }],
    [open, { ...open, protocol: { kind: 'opaque' } }],
    [routed(route('a', '/a'), route('b', '/b')), routed(route('b', '/b'), route('a', '/a'))],
    [routed(route('a', '/a')), routed(route('a', '/b'))],
    [routed(route('a', '/a')), routed()],
  ];
  for (const rows of cases) assert.equal(compared(rows).kind, 'disagree', JSON.stringify(rows[1].meta));
  assert.equal(cases.length, 8);
});

test('a difference that is meant is one only where its condition holds', () => {
  const theirs = aServerRow({ authorizations: [anybody('x')], meta: { kind: 'default', name: 'x' } });
  const denied = aServerRow({ authorizations: [], meta: { kind: 'default', name: 'deny' } });
  const slip = pod({ 'config.linkerd.io/default-inbound-policy': 'dney' });
  assert.deepEqual(compared([theirs, denied], { about: slip }), {
    kind: 'agree',
    differing: ['An annotation default-inbound-policy that is not a policy'],
  });
  assert.equal(compared([theirs, theirs], { about: slip }).kind, 'disagree');
  assert.equal(compared([theirs, denied]).kind, 'disagree');
  const right = pod({ 'config.linkerd.io/default-inbound-policy': 'audit' });
  assert.equal(compared([theirs, denied], { about: right }).kind, 'disagree');
});

test('an ExternalWorkload has ports with names, and none of the probes of a pod', () => {
  const vm: WireObject = {
    kind: 'ExternalWorkload',
    metadata: { annotations: { 'config.linkerd.io/opaque-ports': 'db' } },
    spec: { ports: [{ name: 'db', port: 8080 }] },
  };
  const theirs = aServerRow({ meta: { kind: 'default', name: 'x' } });
  const opaque: InboundServer = { ...theirs, protocol: { kind: 'opaque' } };
  const outcome = compared([theirs, opaque], { about: vm });
  assert.equal(outcome.kind === 'agree' && outcome.differing.length, 1);
  const rows = [routed(), routed()] as const;
  assert.equal(compared(rows, { about: vm, port: 4191 }).kind, 'agree');
  assert.equal(compared(rows, { port: 4191 }).kind, 'disagree');
});

test('a message that no proxy can read agrees with nothing', () => {
  const unreadable = {
    kind: 'unreadable',
    field: 'protocol.grpc.routes[0].rules[0].matches[0].rpc',
  } as const;
  for (const gatehouse of [unreadable, { kind: 'row', server: aServerRow({}) }] as const) {
    const outcome = compare({ linkerd: unreadable, gatehouse, pod: pod({}), port: 8080, attempts: [] });
    assert.equal(outcome.kind, 'disagree');
    assert.match(outcome.report, /Linkerd, as it is meant here: a message that no proxy can read: .*\.rpc\n/);
  }
});
