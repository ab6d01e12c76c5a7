import type { Attempt, ClientTls } from '@gatehouse/core/inbound/evaluate-inbound';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { ipOf } from '@gatehouse/testing/inbound-attempt';
import fc from 'fast-check';
import { identity } from './random-policies.ts';

export const podAddresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', 'fd00::1'];
const strangers = ['10.0.0.9', '192.168.0.1', '127.0.0.1', '127.0.0.2', '::1', 'fd00::9'];
const requestPath = fc.constantFrom(
  '/',
  '/api',
  '/api/',
  '/apix',
  '/api/x',
  '/api/v1',
  '/api/v1/x',
  '/api/../admin',
  '/api//healthz',
  '/api/v1;x=y',
  '/api%2Fv1',
  '/api/v1%25',
  '/api/%2e%2e/admin',
  '/admin',
  '/healthz',
  '/healthz/',
  '/pkg.Svc',
  '/pkg.Svc/Get',
  '/pkg.Svc/Get/x',
  '/grpc.health.v1.Health/Check',
  '/live',
  '/ready',
  '/too/many/segments',
);
const host = fc.constantFrom(
  undefined,
  'backend.demo:8080',
  'example.com',
  'A.example.com:80',
  'b.a.example.com',
);
const headers = fc.array(
  fc.constantFrom(
    { name: 'x-tenant', value: 'blue' },
    { name: 'X-TENANT', value: 'red' },
    { name: 'x-env', value: 'a' },
  ),
  { maxLength: 3 },
);
const request = fc.record({
  kind: fc.constant('http' as const),
  method: fc.constantFrom('GET', 'GET', 'POST', 'PUT'),
  target: fc
    .tuple(requestPath, fc.constantFrom('', '', '', '?color=blue', '?color=red&color=blu%65'))
    .map(([path, query]) => path + query),
  host,
  headers,
});

const call = fc.record({
  kind: fc.constant('http' as const),
  method: fc.constant('POST'),
  target: fc.constantFrom(
    '/pkg.Svc/Get',
    '/pkg.Svc/Get',
    '/pkg.Svc/Put',
    '/pkg.Svc/Check',
    '/pkg/Get',
    '/grpc.health.v1.Health/Check',
    '/pkg.Svc/',
    '/pkg.Svc/Get/x',
  ),
  host,
  headers,
});

const someTls = fc.constantFrom<ClientTls>(
  { kind: 'none' },
  { kind: 'anonymous' },
  { kind: 'port-skipped' },
  { kind: 'identified', id: 'dns', name: identity('demo', 'default') },
  { kind: 'identified', id: 'dns', name: identity('demo', 'web') },
  { kind: 'identified', id: 'dns', name: identity('other', 'default') },
  { kind: 'identified', id: 'uri', name: 'spiffe://elsewhere/app' },
);

const someAddress = fc
  .oneof(
    { arbitrary: fc.constantFrom(...podAddresses), weight: 2 },
    { arbitrary: fc.constantFrom(...strangers), weight: 1 },
  )
  .map(ipOf);

/** Who calls: a pod of the situation with its own address and certificate, or any combination of the two. */
type Client = { readonly pod: number } | Pick<Attempt, 'client' | 'tls'>;

export interface RandomAttempt {
  readonly from: Client;
  readonly traffic: Attempt['traffic'];
}

export const attempt: fc.Arbitrary<RandomAttempt> = fc.record({
  from: fc.oneof(fc.record({ pod: fc.nat({ max: 4 }) }), fc.record({ client: someAddress, tls: someTls })),
  traffic: fc.oneof(
    { arbitrary: request, weight: 6 },
    { arbitrary: call, weight: 2 },
    { arbitrary: fc.constant({ kind: 'tcp' as const }), weight: 1 },
  ),
});

/** The attempt, once it is known which pods there are. */
export const attemptAmong = (
  pods: readonly KubeObject<'Pod'>[],
  { from, traffic }: RandomAttempt,
): Attempt => {
  if ('client' in from) return { ...from, traffic };
  const pod = pods[from.pod % pods.length];
  const name = identity(pod?.meta.namespace ?? 'demo', pod?.spec.serviceAccount ?? 'default');
  return {
    client: ipOf(pod?.spec.ips[0] ?? '10.0.0.9'),
    tls: { kind: 'identified', id: 'dns', name },
    traffic,
  };
};
