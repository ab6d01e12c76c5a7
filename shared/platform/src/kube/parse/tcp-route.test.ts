import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';

const egress = { group: 'policy.linkerd.io', kind: 'EgressNetwork', name: 'out', port: 443 };
const service = { group: '', kind: 'Service', name: 'db' };
const backends = [
  { name: 'db', port: 80 },
  { ...egress, namespace: 'other', weight: 3 },
  { group: 'x', kind: 'Y', name: 'z', weight: 0 },
];
const spec = { parentRefs: [service, egress], rules: [{ name: 'all', backendRefs: backends }] };
const read = {
  services: [{ namespace: 'demo', name: 'db' }],
  egressNetworks: [{ namespace: 'demo', name: 'out', port: 443 }],
  backends: [
    { kind: 'Service', namespace: 'demo', name: 'db', port: 80, weight: 1 },
    { kind: 'EgressNetwork', namespace: 'other', name: 'out', port: 443, weight: 3 },
    { kind: 'other', namespace: 'demo', name: 'z', port: undefined, weight: 0 },
  ],
};

test('a TCPRoute shares connections to Services and EgressNetworks out by weight', () => {
  assert.deepEqual(goodSpec('TCPRoute', { spec }), read);
});

test('a TLSRoute does so for the names that clients ask for', () => {
  assert.deepEqual(goodSpec('TLSRoute', { spec: { ...spec, hostnames: ['*.a.example'] } }), {
    ...read,
    hosts: ['*.a.example'],
  });
});

test('a route of a Gateway is neither judged nor used', () => {
  const elsewhere = { parentRefs: [{ name: 'ingress' }], rules: [] };
  const nothing = { services: [], egressNetworks: [], backends: [] };
  assert.deepEqual(goodSpec('TCPRoute', { spec: elsewhere }), nothing);
  assert.deepEqual(goodSpec('TLSRoute', { spec: elsewhere }), { ...nothing, hosts: [] });
});

const mistakes: readonly (readonly [spec: unknown, problem: string])[] = [
  [{ parentRefs: [service] }, 'spec.rules: missing: one rule with backendRefs'],
  [{ ...spec, rules: [] }, 'spec.rules: 0 rules: write exactly one'],
  [{ ...spec, rules: [{}, {}] }, 'spec.rules: 2 rules: write exactly one'],
  [
    { ...spec, parentRefs: [{ ...egress, port: undefined }] },
    'spec.parentRefs[0].port: missing: an EgressNetwork is attached to by port',
  ],
  [
    { ...spec, rules: [{ backendRefs: [{ name: 'db' }] }] },
    'spec.rules[0].backendRefs[0].port: missing: name a port of the Service',
  ],
  [
    { ...spec, rules: [{ backendRef: [] }] },
    'spec.rules[0].backendRef: unknown field: did you mean `backendRefs`?',
  ],
];

test('every mistake is refused with its path, and closes nothing', () => {
  for (const kind of ['TCPRoute', 'TLSRoute'] as const) {
    for (const [wrong, problem] of mistakes) {
      const { problems, closes } = rejection(kind, { spec: wrong });
      assert.deepEqual([problems, closes.ports], [[problem], []], JSON.stringify(wrong));
    }
  }
  assert.equal(mistakes.length, 6);
});
