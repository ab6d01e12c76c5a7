import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';

test('it stands for its networks, or for all that is outside the cluster', () => {
  assert.deepEqual(goodSpec('EgressNetwork', { spec: { trafficPolicy: 'Deny' } }), {
    trafficPolicy: 'Deny',
    networks: undefined,
  });
  const spec = { trafficPolicy: 'Allow', networks: [{ cidr: '192.0.2.0/24' }] };
  assert.equal(goodSpec('EgressNetwork', { spec }).networks?.length, 1);
});

const mistakes: readonly (readonly [spec: unknown, problem: string])[] = [
  [{}, 'spec.trafficPolicy: missing: Allow or Deny'],
  [{ trafficPolicy: 'deny' }, 'spec.trafficPolicy: `deny` is not known here: did you mean `Deny`?'],
  [
    { trafficPolicy: 'Deny', networks: [] },
    'spec.networks: an empty list: name a network, or remove the field to mean all outside the cluster',
  ],
  [{ trafficPolicy: 'Deny', network: [] }, 'spec.network: unknown field: did you mean `networks`?'],
];

test('every mistake is refused with its path', () => {
  for (const [spec, problem] of mistakes)
    assert.deepEqual(rejection('EgressNetwork', { spec }).problems, [problem], JSON.stringify(spec));
  assert.equal(mistakes.length, 4);
});
