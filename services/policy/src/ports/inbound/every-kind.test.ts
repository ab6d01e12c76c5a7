import assert from 'node:assert/strict';
import test from 'node:test';
import { evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import {
  aGatewayHttpRoute,
  aGrpcRoute,
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthentication,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aPod,
  aRateLimit,
  aRejected,
  aServer,
  aServerAuthorization,
  labelled,
} from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aServedPolicy } from '../../../testing/a-policy.ts';
import { asPod, trafficOf } from '../../../testing/situation.ts';
import { watchPort } from '../../../testing/watched-port.ts';
import type { InboundKind } from '../../core/inbound/rows/inbound-kinds.ts';

/** An object that opens backend-0:8080 to frontend-0 beside `others`, or acts as `acts` says, and two forms of it that do not. */
interface Situation<K extends InboundKind> {
  readonly others: readonly KubeObject[];
  readonly opening: KubeObject<K>;
  readonly changed: KubeObject<K>;
  readonly unreadable: KubeObject<K>;
  readonly acts?: (server: InboundServer) => boolean;
}

const backend = aPod({ name: 'backend-0', labels: { app: 'backend' } });
const frontend = aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.7'] });
const policy = aNetworkAuthenticationPolicy();
const server = aServer();
const ofFrontend = { kind: 'NetworkAuthentication', namespace: 'demo', name: 'a' } as const;
const authorization = anAuthorizationPolicy({ authentications: [ofFrontend] });
const fromFrontend = aNetworkAuthentication({
  networks: [{ net: { family: 4, bits: 0x0a000007n, prefix: 32 }, except: [] }],
});
const identified = anAuthorizationPolicy({
  authentications: [ofFrontend, { kind: 'MeshTLSAuthentication', namespace: 'demo', name: 'a' }],
});
/** All requests. */
const rules = [{ matches: [], filters: [] }];
const forRoute = (kind: 'HTTPRoute' | 'GatewayHTTPRoute' | 'GRPCRoute') =>
  anAuthorizationPolicy({ target: { kind, name: 'a' }, authentications: [ofFrontend] });

/** ExternalWorkloads are targets only: external-workload.test.ts. */
type ActingKind = Exclude<InboundKind, 'ExternalWorkload'>;

/** A kind of the table without a row here does not compile. */
const situations: { readonly [K in ActingKind]: Situation<K> } = {
  Namespace: {
    others: [
      frontend,
      aNetworkAuthenticationPolicy({ sources: [{ namespaceSelector: labelled({ team: 'red' }) }] }),
      // The namespace selects it too, so its own address would be admitted.
      aPod({ name: 'backend-0', labels: { app: 'backend' }, ips: [] }),
    ],
    opening: aNamespace({ labels: { team: 'red' } }),
    changed: aNamespace({ labels: { team: 'blue' } }),
    unreadable: aNamespace({ labels: { team: 'red' }, unreadTexts: ['labels'] }),
  },
  Pod: {
    others: [policy],
    opening: frontend,
    changed: aPod({ name: 'frontend-0', labels: { app: 'intruder' }, ips: ['10.0.0.7'] }),
    unreadable: aPod({
      name: 'frontend-0',
      labels: { app: 'frontend' },
      ips: ['10.0.0.7'],
      unreadTexts: ['labels'],
    }),
  },
  NetworkAuthenticationPolicy: {
    others: [frontend],
    opening: policy,
    changed: aNetworkAuthenticationPolicy({ sources: [{ podSelector: labelled({ app: 'other' }) }] }),
    unreadable: aRejected('NetworkAuthenticationPolicy', { name: policy.meta.name }),
  },
  Server: {
    others: [authorization, fromFrontend],
    opening: server,
    changed: aServer({ port: { kind: 'range', first: 9000, last: 9000 } }),
    unreadable: aRejected('Server'),
  },
  AuthorizationPolicy: {
    others: [server, fromFrontend],
    opening: authorization,
    changed: anAuthorizationPolicy({
      target: { kind: 'Server', name: 'other' },
      authentications: [ofFrontend],
    }),
    unreadable: aRejected('AuthorizationPolicy'),
  },
  ServerAuthorization: {
    others: [server],
    opening: aServerAuthorization(),
    changed: aServerAuthorization({ server: { kind: 'labels', selector: labelled({ tier: 'front' }) } }),
    unreadable: aRejected('ServerAuthorization'),
  },
  MeshTLSAuthentication: {
    others: [server, identified, fromFrontend],
    opening: aMeshTlsAuthentication(),
    changed: aMeshTlsAuthentication({ identities: [{ kind: 'suffix', parts: ['other', 'mesh'] }] }),
    unreadable: aRejected('MeshTLSAuthentication'),
  },
  NetworkAuthentication: {
    others: [server, authorization],
    opening: fromFrontend,
    changed: aNetworkAuthentication({
      networks: [{ net: { family: 4, bits: 0x0a000008n, prefix: 32 }, except: [] }],
    }),
    unreadable: aRejected('NetworkAuthentication'),
  },
  HTTPLocalRateLimitPolicy: {
    others: [server],
    opening: aRateLimit(),
    changed: aRateLimit({ server: 'other' }),
    unreadable: aRejected('HTTPLocalRateLimitPolicy'),
    acts: ({ protocol }) => rateLimitOf(protocol)?.total === 100,
  },
  HTTPRoute: {
    others: [server, forRoute('HTTPRoute'), fromFrontend],
    opening: anHttpRoute({ rules }),
    changed: anHttpRoute({ rules, servers: ['other'] }),
    unreadable: aRejected('HTTPRoute'),
  },
  GatewayHTTPRoute: {
    others: [server, forRoute('GatewayHTTPRoute'), fromFrontend],
    opening: aGatewayHttpRoute({ rules }),
    changed: aGatewayHttpRoute({ rules, servers: ['other'] }),
    unreadable: aRejected('GatewayHTTPRoute'),
  },
  GRPCRoute: {
    others: [aServer({ proxyProtocol: 'gRPC' }), forRoute('GRPCRoute'), fromFrontend],
    opening: aGrpcRoute({ rules }),
    changed: aGrpcRoute({ rules, servers: ['other'] }),
    unreadable: aRejected('GRPCRoute'),
  },
};

const isOpen = (server: InboundServer): boolean =>
  evaluate(server, { ...asPod(frontend), traffic: trafficOf('GET /') }, matchesWhole).kind === 'allowed';

for (const kind of Object.keys(situations) as readonly ActingKind[]) {
  test(`${kind}: applied it acts; changed, unreadable, deleted or relisted away it does no more`, async (t) => {
    const { others, opening, changed, unreadable, acts = isOpen } = situations[kind];
    const { client, follow } = await aServedPolicy(t);
    const around = [backend, ...others];
    const source = new FakeSource(...around);
    follow(source);
    const stream = watchPort(client);
    assert.equal(acts(await stream.message(0)), false);
    const closings: readonly (readonly [string, () => void])[] = [
      ['changed', () => source.put(changed)],
      ['unreadable', () => source.put(unreadable)],
      ['deleted', () => source.remove(opening)],
      ['relisted away', () => source.relist(kind, ...around.filter((object) => object.kind === kind))],
    ];
    for (const [at, [how, close]] of closings.entries()) {
      source.put(opening);
      assert.equal(acts(await stream.message(2 * at + 1)), true, `before it is ${how}`);
      close();
      assert.equal(acts(await stream.message(2 * at + 2)), false, how);
    }
    assert.equal(stream.messages.length, 9);
  });
}
