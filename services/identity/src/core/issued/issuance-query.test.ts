import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityOf } from '@gatehouse/core/mesh/workload-identity';
import { fits, type IssuanceQuery } from './issuance-query.ts';
import type { IssuanceRecord } from './issuance-record.ts';

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
const web = identityOf(mesh, 'demo', 'web');

const aRecord = (about: Partial<IssuanceRecord> = {}): IssuanceRecord => ({
  identity: web,
  pod: { namespace: 'demo', name: 'frontend-0', uid: 'u-1' },
  serial: '4a0b',
  spkiSha256: '00',
  tbsSha256: '00',
  leafSha256: '00',
  issuedAt: 5_000,
  notBefore: 4,
  notAfter: 10,
  suspicious: undefined,
  ...about,
});

test('every part of a question must hold', () => {
  const valid = (at: number, isValid = true) => ({ validity: { at, isValid } });
  const cases: readonly (readonly [IssuanceQuery, boolean])[] = [
    [{}, true],
    [{ identity: web }, true],
    [{ identity: identityOf(mesh, 'demo', 'we') }, false],
    [{ namespace: 'demo' }, true],
    [{ namespace: 'dem' }, false],
    [{ pod: 'demo/frontend-0' }, true],
    [{ pod: 'u-1' }, true],
    [{ pod: 'frontend-0' }, false],
    [{ pod: 'frontend-0', namespace: 'demo' }, true],
    [{ pod: 'demo/frontend-0', namespace: 'other' }, false],
    [{ serial: '4a0b' }, true],
    [{ serial: '4A:0B' }, true],
    [{ serial: '4a' }, false],
    [{ since: 5_000 }, true],
    [{ since: 5_001 }, false],
    [{ until: 5_000 }, false],
    [{ until: 5_001 }, true],
    [valid(3_999), false],
    [valid(4_000), true],
    [valid(10_000), true],
    [valid(10_001), false],
    [valid(10_001, false), true],
    [{ serial: '4a0b', since: 5_001 }, false],
    [{ suspicious: true }, false],
    [{ suspicious: false }, true],
  ];
  assert.equal(cases.length, 25);
  for (const [query, expected] of cases)
    assert.equal(fits(aRecord(), query), expected, JSON.stringify(query));
});

test('a certificate without a pod is found by the namespace of its ServiceAccount, and by no pod', () => {
  const record = aRecord({ pod: undefined, identity: identityOf(mesh, 'demo', 'a.b.web') });
  assert.equal(fits(record, { namespace: 'demo' }), true);
  assert.equal(fits(record, { pod: 'u-1' }), false);
});
