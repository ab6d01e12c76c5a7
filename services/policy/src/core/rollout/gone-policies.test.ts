import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import { aNetworkAuthenticationPolicy, aPod } from '@gatehouse/testing/builders';
import { GonePolicies } from './gone-policies.ts';

const named = (name: string) => ({ kind: 'NetworkAuthenticationPolicy', namespace: 'demo', name }) as const;
const deleted = (name: string): Touched =>
  ({
    kind: 'NetworkAuthenticationPolicy',
    before: aNetworkAuthenticationPolicy({ name }),
    after: undefined,
  }) as Touched;

test('a policy that was deleted is remembered for ten minutes, as it was', () => {
  const gone = new GonePolicies();
  gone.take([deleted('a'), { kind: 'Pod', before: aPod(), after: undefined } as Touched], 1_000);
  assert.deepEqual(gone.get(named('a'), 601_000), {
    object: aNetworkAuthenticationPolicy({ name: 'a' }),
    at: 1_000,
  });
  assert.equal(gone.get(named('a'), 601_001), undefined);
  assert.equal(gone.get(named('b'), 1_000), undefined);
});

test('one that is made again is not gone, and of many the newest thousand are remembered', () => {
  const gone = new GonePolicies();
  gone.take([deleted('a')], 0);
  gone.take(
    [
      {
        kind: 'NetworkAuthenticationPolicy',
        before: undefined,
        after: aNetworkAuthenticationPolicy({ name: 'a' }),
      } as Touched,
    ],
    1,
  );
  assert.equal(gone.get(named('a'), 1), undefined);
  gone.take(
    Array.from({ length: 1_001 }, (_, at) => deleted(`p${at}`)),
    2,
  );
  assert.equal(gone.get(named('p0'), 2), undefined);
  assert.equal(gone.get(named('p1'), 2)?.at, 2);
});
