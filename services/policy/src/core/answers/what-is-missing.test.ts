import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { AuthorizationPolicySpec } from '@gatehouse/core/resources/kinds/linkerd';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { aGatewayHttpRoute, aGrpcRoute, anHttpRoute, aRejected, aServer } from '@gatehouse/testing/builders';
import { whatIsMissing } from './what-is-missing.ts';

const http = aServer();
const grpc = aServer({ proxyProtocol: 'gRPC' });
const r = { name: 'r' };

type Target = AuthorizationPolicySpec['target'];
const ofServer: Target = { kind: 'Server', name: 'a' };
const ofGateway: Target = { kind: 'GatewayHTTPRoute', name: 'r' };
const ofCalls: Target = { kind: 'GRPCRoute', name: 'r' };

const rows: readonly (readonly [
  target: Target,
  objects: readonly KubeObject[],
  missing: string | undefined,
])[] = [
  [
    { kind: 'Namespace' },
    [],
    'The namespace has no Server, and the policy counts only on ports that a Server governs.',
  ],
  [{ kind: 'Namespace' }, [http], undefined],
  [ofServer, [], 'There is no Server a in the namespace.'],
  [ofServer, [aServer({ namespace: 'other' })], 'There is no Server a in the namespace.'],
  [ofServer, [aRejected('Server')], 'Server a could not be read.'],
  [ofServer, [http], undefined],
  [ofGateway, [http, anHttpRoute(r)], 'There is no HTTPRoute r in the namespace.'],
  [ofGateway, [http, aRejected('GatewayHTTPRoute', r)], 'HTTPRoute r could not be read.'],
  [ofGateway, [http, aGatewayHttpRoute(r)], undefined],
  [ofGateway, [aGatewayHttpRoute(r)], 'HTTPRoute r is attached to no Server that could be read.'],
  [
    ofGateway,
    [http, aGatewayHttpRoute({ ...r, servers: ['b'] })],
    'HTTPRoute r is attached to no Server that could be read.',
  ],
  [ofGateway, [grpc, aGatewayHttpRoute(r)], 'HTTPRoute r is attached to no Server that speaks HTTP.'],
  [ofCalls, [grpc], 'There is no GRPCRoute r in the namespace.'],
  [ofCalls, [grpc, aGrpcRoute(r)], undefined],
  [ofCalls, [http, aGrpcRoute(r)], 'GRPCRoute r is attached to no Server that speaks gRPC.'],
  [
    ofCalls,
    [aServer({ proxyProtocol: 'opaque' }), aGrpcRoute(r)],
    'GRPCRoute r is attached to no Server that speaks gRPC.',
  ],
];

test('a policy for what is not there, cannot be read or routes nothing is told so', () => {
  for (const [target, objects, missing] of rows) {
    const index = new ResourceIndex();
    index.apply(objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change));
    assert.equal(whatIsMissing(target, 'demo', index), missing);
  }
  assert.equal(rows.length, 16);
});
