import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostPort } from '@gatehouse/core/host-port';
import { readIp } from '@gatehouse/core/ip-network';
import type { Update, WeightedAddr } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { WeightedAddr as WeightedAddrCodec } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { encodeTcpAddress } from '@gatehouse/wire/ip';
import { applyUpdate, decodeEndpoint, type EndpointSet } from './endpoints.ts';

const tcp = (text: string) => {
  const address = parseHostPort(text);
  const ip = address.ok ? readIp(address.value.host) : undefined;
  assert.ok(address.ok && ip !== undefined);
  return encodeTcpAddress(ip, address.value.port);
};

const addr = (text: string, more: Partial<WeightedAddr> = {}): WeightedAddr => ({
  ...WeightedAddrCodec.fromPartial({}),
  addr: tcp(text),
  ...more,
});
const add = (...addrs: WeightedAddr[]): Update => ({
  update: { $case: 'add', value: { addrs, metricLabels: {} } },
});
const remove = (...addresses: string[]): Update => ({
  update: { $case: 'remove', value: { addrs: addresses.map(tcp) } },
});
const none = (exists: boolean): Update => ({ update: { $case: 'noEndpoints', value: { exists } } });
const names = (set: EndpointSet | undefined): string[] | undefined => set && [...set.keys()];

test('updates change the set as the proxy has it: nine of them', () => {
  const known = applyUpdate(new Map(), add(addr('10.0.0.1:80'), addr('10.0.0.2:80')), true) ?? new Map();
  const cases: [string, Update, 'first' | 'later', string[] | undefined][] = [
    ['a later add joins', add(addr('10.0.0.3:80')), 'later', ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']],
    ['a first add replaces', add(addr('10.0.0.3:80')), 'first', ['10.0.0.3:80']],
    ['an empty add is ignored', add(), 'first', undefined],
    [
      'an add without addresses is ignored',
      add({ ...addr('10.0.0.9:80'), addr: undefined }),
      'later',
      undefined,
    ],
    ['a remove removes, the unknown too', remove('10.0.0.1:80', '10.9.9.9:80'), 'later', ['10.0.0.2:80']],
    ['a first remove is ignored', remove('10.0.0.1:80'), 'first', undefined],
    ['none that exist', none(true), 'later', []],
    ['none that do not exist', none(false), 'first', []],
    ['an empty message is ignored', { update: undefined }, 'later', undefined],
  ];
  assert.equal(cases.length, 9);
  for (const [title, update, when, expected] of cases) {
    assert.deepEqual(names(applyUpdate(known, update, when === 'first')), expected, title);
  }
});

test('an endpoint is spoken to in plaintext unless its identity can be verified: six of them', () => {
  const name = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';
  const dns = (text: string, serverName?: string): Partial<WeightedAddr> => ({
    tlsIdentity: {
      strategy: { $case: 'dnsLikeIdentity', value: { name: text } },
      serverName: serverName === undefined ? undefined : { name: serverName },
    },
  });
  const uri = { strategy: { $case: 'uriLikeIdentity', value: { uri: 'spiffe://x/y' } } } as const;
  const opaque = {
    protocol: { $case: 'opaque', value: {} } as const,
    opaqueTransport: { inboundPort: 4143 },
  };
  const cases: [string, Partial<WeightedAddr>, unknown][] = [
    ['none', {}, undefined],
    ['a name is its own SNI', dns(name.toUpperCase()), { name, serverName: name }],
    ['a name with an SNI', dns(name, 'gateway.example'), { name, serverName: 'gateway.example' }],
    ['no DNS name', dns('not a name'), undefined],
    ['a URI', { tlsIdentity: { ...uri, serverName: { name: 'x' } } }, undefined],
    ['an opaque port ends no TLS', { ...dns(name), protocolHint: opaque }, undefined],
  ];
  assert.equal(cases.length, 6);
  for (const [title, more, expected] of cases) {
    assert.deepEqual(decodeEndpoint(addr('10.0.0.1:80', more))?.identity, expected, title);
  }
});
