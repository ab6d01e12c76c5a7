import assert from 'node:assert/strict';
import test from 'node:test';
import type { InboundServer, LocalRateLimit } from '@gatehouse/core/inbound/inbound-server';
import { everywhere } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { parsed } from '@gatehouse/core/problem';
import { anInboundServer } from '@gatehouse/testing/arbitrary-inbound';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import fc from 'fast-check';
import { encodeInbound, inboundMessage } from './encode-inbound.ts';

test('whatever is encoded reads back the same', () => {
  fc.assert(
    fc.property(anInboundServer(), (server) => {
      assert.deepEqual(decodeInbound(encodeInbound(server), parsed), { ok: true, value: server });
    }),
  );
});

test('a rate limit goes with the protocols that have requests, and names its policy', () => {
  const rateLimit: LocalRateLimit = {
    meta: {
      kind: 'resource',
      resource: { group: 'policy.linkerd.io', kind: 'HTTPLocalRateLimitPolicy', name: 'web' },
    },
    total: 100,
    identity: undefined,
    overrides: [{ requestsPerSecond: 7, identities: [parseIdentity('web.demo.example')] }],
  };
  const expected = {
    metadata: {
      kind: {
        $case: 'resource',
        value: {
          group: 'policy.linkerd.io',
          kind: 'HTTPLocalRateLimitPolicy',
          name: 'web',
          namespace: '',
          section: '',
          port: 0,
        },
      },
    },
    total: { requestsPerSecond: 100 },
    identity: undefined,
    overrides: [{ limit: { requestsPerSecond: 7 }, clients: { identities: [{ name: 'web.demo.example' }] } }],
  };
  const protocols = [
    { kind: 'detect', timeoutMs: 10_000, routes: [], rateLimit },
    { kind: 'http1', routes: [], rateLimit },
    { kind: 'http2', routes: [], rateLimit },
  ] as const;
  for (const protocol of protocols) {
    const meta = { kind: 'default', name: 'deny' } as const;
    const kind = inboundMessage({ protocol, authorizations: [], meta }).protocol?.kind;
    assert(kind?.$case === 'detect' || kind?.$case === 'http1' || kind?.$case === 'http2');
    const sent = kind.$case === 'detect' ? kind.value.httpLocalRateLimit : kind.value.localRateLimit;
    assert.deepEqual(sent, expected, protocol.kind);
  }
  assert.equal(protocols.length, 3);
});

test('an authorization carries the deprecated labels beside its metadata, and no namespace', () => {
  const server: InboundServer = {
    protocol: { kind: 'detect', timeoutMs: 10_000, routes: [] },
    authorizations: [
      {
        networks: everywhere,
        authentication: { kind: 'identities', identities: [], suffixes: [[]] },
        meta: {
          kind: 'resource',
          resource: { group: 'policy.linkerd.io', kind: 'authorizationpolicy', name: 'web' },
        },
      },
    ],
    meta: { kind: 'default', name: 'deny' },
  };
  assert.deepEqual(inboundMessage(server), {
    protocol: {
      kind: {
        $case: 'detect',
        value: { timeout: { seconds: 10n, nanos: 0 }, httpRoutes: [], httpLocalRateLimit: undefined },
      },
    },
    serverIps: [],
    authorizations: [
      {
        networks: [
          { net: { ip: { ip: { $case: 'ipv4', value: 0 } }, prefixLen: 0 }, except: [] },
          {
            net: { ip: { ip: { $case: 'ipv6', value: { first: 0n, last: 0n } } }, prefixLen: 0 },
            except: [],
          },
        ],
        authentication: {
          permit: {
            $case: 'meshTLS',
            value: { clients: { $case: 'identities', value: { identities: [], suffixes: [{ parts: [] }] } } },
          },
        },
        labels: { group: 'policy.linkerd.io', kind: 'authorizationpolicy', name: 'web' },
        metadata: {
          kind: {
            $case: 'resource',
            value: {
              group: 'policy.linkerd.io',
              kind: 'authorizationpolicy',
              name: 'web',
              namespace: '',
              section: '',
              port: 0,
            },
          },
        },
      },
    ],
    labels: { group: '', kind: 'default', name: 'deny' },
  });
});
