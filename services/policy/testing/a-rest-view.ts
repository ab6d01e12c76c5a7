import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import {
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  aPod,
  aRejected,
  aServer,
  aServerAuthorization,
  aService,
  labelled,
} from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { ask } from '@gatehouse/testing/started-admin';
import { folders, start } from './a-started-service.ts';

/** A NetworkAuthenticationPolicy as REST names it. */
export const policyNamed = (name: string) => ({
  group: 'policy.linkerd.io',
  kind: 'NetworkAuthenticationPolicy',
  namespace: 'demo',
  name,
});

/** Objects in which everything that the REST API shows occurs. */
const view = () => [
  aNamespace(),
  aNamespace({
    name: 'open',
    annotations: { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
  }),
  aPod({
    name: 'backend-0',
    labels: { app: 'backend' },
    ports: [
      { name: 'http', port: 8080 },
      { name: 'metrics', port: 9090 },
      { name: 'metrics', port: 9091 },
    ],
  }),
  aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.7'] }),
  aPod({ name: 'frontend-1', labels: { app: 'frontend' }, meshed: false }),
  aNetworkAuthenticationPolicy(),
  aNetworkAuthenticationPolicy({
    name: 'get-only',
    ports: [{ kind: 'name', name: 'http' }],
    sources: [{ serviceAccounts: [{ name: 'web', namespace: 'demo' }] }],
    rules: [
      {
        methods: ['GET', 'HEAD'],
        paths: [{ kind: 'prefix', value: '/api' }],
        headers: [{ name: 'x-tenant', value: 'blue' }],
      },
    ],
    mode: 'Audit',
  }),
  aServer({ name: 'web', port: { kind: 'range', first: 9000, last: 9000 } }),
  anAuthorizationPolicy({ name: 'anyone', target: { kind: 'Server', name: 'web' } }),
  anAuthorizationPolicy({
    name: 'lost',
    target: { kind: 'HTTPRoute', name: 'api' },
    authentications: [{ kind: 'MeshTLSAuthentication', namespace: 'demo', name: 'gone' }],
  }),
  aServerAuthorization({ name: 'probes', server: { kind: 'labels', selector: labelled({ tier: 'web' }) } }),
  aServerAuthorization({ name: 'web-probes', server: { kind: 'name', name: 'web' } }),
  aMeshTlsAuthentication(),
  aRejected('NetworkAuthenticationPolicy', {
    rejected: [{ field: 'spec.rule', found: 'unknown field', fix: 'did you mean `rules`?' }],
    closes: { selector: labelled({ app: 'backend' }), ports: [{ kind: 'range', first: 1, last: 99 }] },
  }),
  aService({ name: 'backend', clusterIps: ['10.32.0.9'] }),
];

/** Policy serving them; `read` asks with the token. */
export const restOf = async (t: TestContext, more: readonly KubeObject[] = []) => {
  const where = await folders(t);
  const { admin, grpc } = await start(where, { source: new FakeSource(...view(), ...more) });
  const token = (await readFile(join(where.state, 'admin-token'), 'utf8')).trim();
  return { admin, grpc, read: (path: string) => ask(`${admin}${path}`, { token }) };
};
