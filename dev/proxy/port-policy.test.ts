import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { parseNetwork } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { summarize } from './port-policy.ts';

test('a row in words names the identities that it allows', () => {
  const net = parseNetwork('10.0.0.7');
  assert.ok(net.ok);
  const name = 'web.demo.serviceaccount.identity.gatehouse.cluster.local';
  const server: InboundServer = {
    protocol: { kind: 'opaque' },
    meta: { kind: 'default', name: 'deny' },
    authorizations: [
      {
        networks: [{ net: net.value, except: [] }],
        authentication: {
          kind: 'identities',
          identities: [parseIdentity(name)],
          suffixes: [['example', 'org']],
        },
        meta: { kind: 'default', name: 'p' },
      },
    ],
  };
  assert.deepEqual(summarize(server).authorizations, [`default/p: ${name}, *.example.org from 10.0.0.7/32`]);
});
