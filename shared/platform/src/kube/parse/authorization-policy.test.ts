import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';

const kind = 'AuthorizationPolicy';
const linkerd = 'policy.linkerd.io';
const server = { group: linkerd, kind: 'Server', name: 'web' };
const meshTls = { group: linkerd, kind: 'MeshTLSAuthentication', name: 'web' };
const network = { group: linkerd, kind: 'NetworkAuthentication', name: 'web' };
const account = { kind: 'ServiceAccount', name: 'web' };

const targets: readonly (readonly [ref: Record<string, string>, target: unknown])[] = [
  [server, { kind: 'Server', name: 'web' }],
  [
    { group: 'Policy.Linkerd.IO', kind: 'server', name: 'web' },
    { kind: 'Server', name: 'web' },
  ],
  [
    { group: linkerd, kind: 'HttpRoute', name: 'web' },
    { kind: 'HTTPRoute', name: 'web' },
  ],
  [
    { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'web' },
    { kind: 'GatewayHTTPRoute', name: 'web' },
  ],
  [
    { group: 'gateway.networking.k8s.io', kind: 'GRPCRoute', name: 'web' },
    { kind: 'GRPCRoute', name: 'web' },
  ],
  [{ kind: 'Namespace', name: 'demo' }, { kind: 'Namespace' }],
  [{ group: '', kind: 'namespace', name: 'demo' }, { kind: 'Namespace' }],
  [{ group: 'core', kind: 'Namespace', name: 'demo' }, { kind: 'Namespace' }],
];

test('every target that Linkerd knows is read, group and kind without case', () => {
  for (const [targetRef, target] of targets) {
    const spec = goodSpec(kind, { spec: { targetRef, requiredAuthenticationRefs: [] } });
    assert.deepEqual(spec, { target, authentications: [] });
  }
  assert.equal(targets.length, 8);
});

test('authentications are of the own namespace unless they say another', () => {
  const requiredAuthenticationRefs = [{ ...meshTls, namespace: 'other' }, network];
  assert.deepEqual(
    goodSpec(kind, { spec: { targetRef: server, requiredAuthenticationRefs } }).authentications,
    [
      { kind: 'MeshTLSAuthentication', namespace: 'other', name: 'web' },
      { kind: 'NetworkAuthentication', namespace: 'demo', name: 'web' },
    ],
  );
  assert.deepEqual(
    goodSpec(kind, { spec: { targetRef: server, requiredAuthenticationRefs: [account] } }).authentications,
    [{ kind: 'ServiceAccount', namespace: 'demo', name: 'web' }],
  );
});

const targetFix =
  'Server or HTTPRoute of policy.linkerd.io, HTTPRoute or GRPCRoute of gateway.networking.k8s.io, or Namespace of the core group';
const authenticationFix =
  'MeshTLSAuthentication or NetworkAuthentication with group policy.linkerd.io, or ServiceAccount of the core group';

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [
    { requiredAuthenticationRefs: [] },
    ['spec.targetRef: missing: name what it authorizes: { group, kind, name }'],
  ],
  [
    { targetRef: server },
    ['spec.requiredAuthenticationRefs: missing: name the authentications; [] admits everybody'],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: null },
    ['spec.requiredAuthenticationRefs: nothing is written: write a list'],
  ],
  [
    { targetRef: server, requiredAuthenticationRef: [meshTls] },
    [
      'spec.requiredAuthenticationRefs: missing: name the authentications; [] admits everybody',
      'spec.requiredAuthenticationRef: unknown field: did you mean `requiredAuthenticationRefs`?',
    ],
  ],
  [
    { targetRef: { kind: 'Server', name: 'web' }, requiredAuthenticationRefs: [] },
    [`spec.targetRef: \`server\` of the core group cannot be a target: ${targetFix}`],
  ],
  [
    { targetRef: { group: 'apps', kind: 'Deployment', name: 'web' }, requiredAuthenticationRefs: [] },
    [`spec.targetRef: \`deployment\` of \`apps\` cannot be a target: ${targetFix}`],
  ],
  [
    { targetRef: { kind: 'Namespace', name: 'other' }, requiredAuthenticationRefs: [] },
    ['spec.targetRef.name: `other` is another namespace: use its own, `demo`'],
  ],
  [
    { targetRef: { group: linkerd, kind: 'Server' }, requiredAuthenticationRefs: [] },
    ['spec.targetRef.name: missing: name the object'],
  ],
  [
    { targetRef: { group: linkerd, name: 'web' }, requiredAuthenticationRefs: [] },
    ['spec.targetRef.kind: missing: name the kind'],
  ],
  [
    { targetRef: { ...server, namespace: 'other' }, requiredAuthenticationRefs: [] },
    ['spec.targetRef.namespace: unknown field: remove it; known here: group, kind, name'],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: [{ kind: 'MeshTLSAuthentication', name: 'web' }] },
    [
      `spec.requiredAuthenticationRefs[0]: \`meshtlsauthentication\` of the core group is not a valid authentication: ${authenticationFix}`,
    ],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: [{ ...meshTls, name: '' }] },
    ['spec.requiredAuthenticationRefs[0].name: an empty text: name the object'],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: [meshTls, meshTls] },
    [
      'spec.requiredAuthenticationRefs: more than one MeshTLSAuthentication: keep one, or write several policies',
    ],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: [network, network] },
    [
      'spec.requiredAuthenticationRefs: more than one NetworkAuthentication: keep one, or write several policies',
    ],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: [account, account] },
    ['spec.requiredAuthenticationRefs: more than one ServiceAccount: keep one, or write several policies'],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: [meshTls, account] },
    ['spec.requiredAuthenticationRefs: a MeshTLSAuthentication and a ServiceAccount: keep one of the two'],
  ],
  [
    { targetRef: server, requiredAuthenticationRefs: ['web'] },
    ['spec.requiredAuthenticationRefs[0]: `web` is not an object: write an object'],
  ],
];

test('every mistake is refused with its path, what is there, and the fix; it then closes nothing', () => {
  for (const [spec, problems] of mistakes) {
    const { problems: found, ...closes } = rejection(kind, { spec });
    assert.deepEqual(found, problems, JSON.stringify(spec));
    assert.deepEqual(closes, { closes: { selector: everything, ports: [] } });
  }
  assert.equal(mistakes.length, 17);
});
