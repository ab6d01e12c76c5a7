import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits, type IssuanceQuery, namespaceOf } from './issuance-query.ts';
import type { IssuanceRecord } from './issuance-record.ts';

const record = (about: Partial<IssuanceRecord> = {}): IssuanceRecord => ({
  identity: 'web.demo.serviceaccount.identity.gatehouse.cluster.local',
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
    [{ identity: 'web.demo.serviceaccount.identity.gatehouse.cluster.local' }, true],
    [{ identity: 'web.demo' }, false],
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
  for (const [query, expected] of cases) assert.equal(fits(record(), query), expected, JSON.stringify(query));
});

test('a certificate without a pod belongs to the namespace of its ServiceAccount, whose name may have dots', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['web.demo.serviceaccount.identity.gatehouse.cluster.local', 'demo'],
    ['a.b.c.demo.serviceaccount.identity.gatehouse.cluster.local', 'demo'],
    ['something else', ''],
  ];
  assert.equal(cases.length, 3);
  for (const [identity, namespace] of cases)
    assert.equal(namespaceOf(record({ pod: undefined, identity })), namespace, identity);
  assert.equal(fits(record({ pod: undefined }), { namespace: 'demo' }), true);
  assert.equal(fits(record({ pod: undefined }), { pod: 'u-1' }), false);
});
