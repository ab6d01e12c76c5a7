import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Verdict } from '@gatehouse/core/admission/review';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { defaultObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { rowOf } from '@gatehouse/platform/kube/kind-table';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { validator } from './validator.ts';

const webhook = validator({ budgets: defaultObjectBudgets, judge: () => undefined, now: () => 0 });

const review = async (kind: Kind, spec: unknown): Promise<Verdict> => {
  const { group, wireKind } = rowOf(kind);
  return webhook.admit(
    {
      uid: 'u',
      group,
      kind: wireKind,
      operation: 'CREATE',
      namespace: 'demo',
      name: 'a',
      object: aWireObject(kind, { spec }),
      isDryRun: false,
    },
    AbortSignal.timeout(10_000),
  );
};

const linkerd = 'policy.linkerd.io';
const targetRef = { group: linkerd, kind: 'Server', name: 'web' };
const meshTls = { group: linkerd, kind: 'MeshTLSAuthentication', name: 'web' };
const account = { kind: 'ServiceAccount', name: 'web' };
const parentRefs = [targetRef];
const gatewayRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'ingress' }];
const egressRefs = [{ group: linkerd, kind: 'EgressNetwork', name: 'all' }];
const egressPort = [{ ...egressRefs[0], port: 443 }];
const relative = [{ matches: [{ path: { value: 'api' } }] }];
const mirror = [{ filters: [{ type: 'RequestMirror', requestMirror: {} }] }];
const authorizing = (...requiredAuthenticationRefs: readonly object[]) => ({
  targetRef,
  requiredAuthenticationRefs,
});
const networks = (cidr: string, ...except: readonly string[]) => ({ networks: [{ cidr, except }] });
const client = (fields: object) => ({ server: { name: 'web' }, client: fields });

type Row = readonly [kind: Kind, what: string, spec: object, refusedFor: string | undefined];

/** What an API server is told of objects that it asks about; undefined where the object is stored. */
const rows: readonly Row[] = [
  [
    'AuthorizationPolicy',
    'another namespace as its target',
    { ...authorizing(), targetRef: { kind: 'Namespace', name: 'other' } },
    'spec.targetRef.name: `other` is another namespace',
  ],
  [
    'AuthorizationPolicy',
    'a target of another kind',
    { ...authorizing(), targetRef: { group: 'apps', kind: 'Deployment', name: 'web' } },
    'spec.targetRef: `deployment` of `apps` cannot be a target',
  ],
  [
    'AuthorizationPolicy',
    'two authentications of one kind',
    authorizing(meshTls, meshTls),
    'spec.requiredAuthenticationRefs: more than one MeshTLSAuthentication',
  ],
  [
    'AuthorizationPolicy',
    'a MeshTLSAuthentication beside a ServiceAccount',
    authorizing(meshTls, account),
    'spec.requiredAuthenticationRefs: a MeshTLSAuthentication and a ServiceAccount',
  ],
  [
    'AuthorizationPolicy',
    'an authentication without its group',
    authorizing({ kind: 'MeshTLSAuthentication', name: 'web' }),
    'spec.requiredAuthenticationRefs[0]: `meshtlsauthentication` of the core group',
  ],
  [
    'AuthorizationPolicy',
    'no list of authentications',
    { targetRef },
    'spec.requiredAuthenticationRefs: missing',
  ],
  ['AuthorizationPolicy', 'nothing wrong', authorizing(meshTls), undefined],
  [
    'MeshTLSAuthentication',
    'an upper-case name',
    { identities: ['Web.demo'] },
    'spec.identities[0]: `Web.demo`',
  ],
  [
    'MeshTLSAuthentication',
    'a SPIFFE id with a slash at its end',
    { identities: ['spiffe://td/a/'] },
    'spec.identities[0]: `spiffe://td/a/` is not a valid SPIFFE id',
  ],
  [
    'MeshTLSAuthentication',
    'a reference to a pod',
    { identityRefs: [{ kind: 'Pod', name: 'a' }] },
    'spec.identityRefs[0]: `pod` of the core group has no identity',
  ],
  [
    'MeshTLSAuthentication',
    'a Namespace in a namespace',
    { identityRefs: [{ kind: 'Namespace', name: 'a', namespace: 'b' }] },
    'spec.identityRefs[0].namespace: a Namespace is in no namespace',
  ],
  ['MeshTLSAuthentication', 'neither list', {}, 'spec: neither identities nor identityRefs'],
  [
    'MeshTLSAuthentication',
    'both lists',
    { identities: ['*'], identityRefs: [account] },
    'spec: both identities and identityRefs',
  ],
  ['MeshTLSAuthentication', 'nothing wrong', { identities: ['*'] }, undefined],
  [
    'Server',
    'an unknown access policy',
    { podSelector: {}, port: 80, accessPolicy: 'open' },
    'spec.accessPolicy',
  ],
  [
    'Server',
    'an unknown protocol',
    { podSelector: {}, port: 80, proxyProtocol: 'HTTP' },
    'spec.proxyProtocol',
  ],
  ['Server', 'two selectors', { podSelector: {}, externalWorkloadSelector: {}, port: 80 }, 'spec: '],
  ['Server', 'nothing wrong', { podSelector: {}, port: 80 }, undefined],
  ['NetworkAuthentication', 'no networks', { networks: [] }, 'spec.networks: an empty list'],
  ['NetworkAuthentication', 'an odd network', networks('ten'), 'spec.networks[0].cidr: `ten`'],
  [
    'NetworkAuthentication',
    'an exception from elsewhere',
    networks('10.0.0.0/8', '11.0.0.0/8'),
    'spec.networks[0].except[0]: 11.0.0.0/8 is not in 10.0.0.0/8',
  ],
  [
    'NetworkAuthentication',
    'nothing but its exception',
    networks('10.0.0.0/8', '10.0.0.0/8'),
    'spec.networks[0].except[0]: 10.0.0.0/8 takes all of 10.0.0.0/8',
  ],
  ['NetworkAuthentication', 'nothing wrong', networks('10.0.0.0/8', '10.1.0.0/16'), undefined],
  ['EgressNetwork', 'no networks', { trafficPolicy: 'Deny', networks: [] }, 'spec.networks: an empty list'],
  ['EgressNetwork', 'nothing wrong', { trafficPolicy: 'Deny' }, undefined],
  [
    'ServerAuthorization',
    'all clients and some',
    client({ unauthenticated: true, meshTLS: { identities: ['*'] } }),
    'spec.client: unauthenticated beside meshTLS',
  ],
  [
    'ServerAuthorization',
    'any TLS and some clients',
    client({ meshTLS: { unauthenticatedTLS: true, identities: ['*'] } }),
    'spec.client.meshTLS: unauthenticatedTLS beside identities',
  ],
  [
    'ServerAuthorization',
    'an odd network',
    client({ unauthenticated: true, ...networks('ten') }),
    'spec.client.networks[0].cidr: `ten`',
  ],
  ['ServerAuthorization', 'nothing wrong', client({ unauthenticated: true }), undefined],
  [
    'HTTPRoute',
    'a relative path',
    { parentRefs, rules: relative },
    'spec.rules[0].matches[0].path.value: `api`',
  ],
  [
    'HTTPRoute',
    'a filter that no proxy knows',
    { parentRefs, rules: mirror },
    'spec.rules[0].filters[0].type: `RequestMirror`',
  ],
  ['HTTPRoute', 'nothing wrong', { parentRefs }, undefined],
  [
    'GatewayHTTPRoute',
    'a relative path',
    { parentRefs, rules: relative },
    'spec.rules[0].matches[0].path.value: `api`',
  ],
  ['GatewayHTTPRoute', 'the same for a Gateway', { parentRefs: gatewayRefs, rules: relative }, undefined],
  [
    'GRPCRoute',
    'a filter that no proxy knows',
    { parentRefs, rules: mirror },
    'spec.rules[0].filters[0].type: `RequestMirror`',
  ],
  ['GRPCRoute', 'the same for a Gateway', { parentRefs: gatewayRefs, rules: mirror }, undefined],
  ['TLSRoute', 'two rules', { parentRefs: egressPort, rules: [{}, {}] }, 'spec.rules: 2 rules'],
  ['TCPRoute', 'two rules', { parentRefs: egressPort, rules: [{}, {}] }, 'spec.rules: 2 rules'],
  [
    'TCPRoute',
    'an EgressNetwork without port',
    { parentRefs: egressRefs, rules: [{}] },
    'spec.parentRefs[0].port: missing',
  ],
  [
    'HTTPLocalRateLimitPolicy',
    'a target that is no Server',
    { targetRef: account },
    'spec.targetRef: `serviceaccount` of the core group',
  ],
  [
    'HTTPLocalRateLimitPolicy',
    'no request a second',
    { targetRef, total: { requestsPerSecond: 0 } },
    'spec.total.requestsPerSecond: the number 0',
  ],
  [
    'HTTPLocalRateLimitPolicy',
    'more for one than for all',
    { targetRef, total: { requestsPerSecond: 5 }, identity: { requestsPerSecond: 6 } },
    'spec.identity.requestsPerSecond: 6 is above the total of 5',
  ],
  [
    'HTTPLocalRateLimitPolicy',
    'an override for a pod',
    { targetRef, overrides: [{ requestsPerSecond: 6, clientRefs: [{ kind: 'Pod', name: 'a' }] }] },
    'spec.overrides[0].clientRefs[0]: `pod` of the core group',
  ],
  ['HTTPLocalRateLimitPolicy', 'nothing wrong', { targetRef, total: { requestsPerSecond: 5 } }, undefined],
];

describe('before it is stored, an object is judged by the reader of the watch', () => {
  for (const [kind, what, spec, refusedFor] of rows) {
    it(`${kind} with ${what} is ${refusedFor === undefined ? 'stored' : 'refused'}`, async () => {
      const verdict = await review(kind, spec);
      const said = verdict.kind === 'denied' ? verdict.message : '';
      if (refusedFor === undefined) assert.equal(said, '');
      else assert.ok(said.startsWith(`${rowOf(kind).wireKind} demo/a: ${refusedFor}`), said);
    });
  }
  it('covers the table', () => assert.equal(rows.length, 44));
});
