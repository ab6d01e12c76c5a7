import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { IssuanceQuery } from './issuance-query.ts';
import type { IssuanceRecord } from './issuance-record.ts';
import { IssuanceRing } from './issuance-ring.ts';

const record = (serial: string, about: Partial<IssuanceRecord> = {}): IssuanceRecord => ({
  identity: parseIdentity('a'),
  pod: { namespace: 'demo', name: 'frontend-0', uid: 'p1' },
  serial,
  spkiSha256: '00',
  tbsSha256: '00',
  leafSha256: '00',
  issuedAt: 0,
  notBefore: 0,
  notAfter: 0,
  suspicious: undefined,
  ...about,
});

const serials = (ring: IssuanceRing, query: IssuanceQuery = {}): readonly string[] =>
  [...ring.find(query)].map(({ serial }) => serial);

describe('the ring of issued certificates', () => {
  it('answers newest first', () => {
    const ring = new IssuanceRing(3);
    assert.deepEqual(serials(ring), []);
    ring.add(record('1'));
    ring.add(record('2'));
    assert.deepEqual(serials(ring), ['2', '1']);
  });

  it('forgets the oldest when it is full', () => {
    const ring = new IssuanceRing(3);
    for (const serial of ['1', '2', '3', '4', '5']) ring.add(record(serial));
    assert.deepEqual(serials(ring), ['5', '4', '3']);
  });

  it('takes the hash of a certificate later, and not for one that it has forgotten', () => {
    const ring = new IssuanceRing(2);
    for (const serial of ['1', '2', '3']) ring.add(record(serial, { leafSha256: undefined }));
    ring.complete('1', 'aa');
    ring.complete('2', 'bb');
    assert.deepEqual(
      [...ring.find({})].map(({ serial, leafSha256 }) => [serial, leafSha256]),
      [
        ['3', undefined],
        ['2', 'bb'],
      ],
    );
  });

  it('finds by identity, pod name, pod uid and serial, all at once', () => {
    const ring = new IssuanceRing(9);
    ring.add(record('1'));
    ring.add(record('2', { identity: parseIdentity('b') }));
    ring.add(record('3', { pod: undefined }));
    ring.add(record('4', { pod: { namespace: 'demo', name: 'frontend-0', uid: 'p2' } }));
    assert.deepEqual(serials(ring, { identity: parseIdentity('b') }), ['2']);
    assert.deepEqual(serials(ring, { pod: 'demo/frontend-0' }), ['4', '2', '1']);
    assert.deepEqual(serials(ring, { pod: 'p1' }), ['2', '1']);
    assert.deepEqual(serials(ring, { serial: '3' }), ['3']);
    assert.deepEqual(serials(ring, { identity: parseIdentity('a'), pod: 'p1' }), ['1']);
    assert.deepEqual(serials(ring, { identity: parseIdentity('b'), serial: '1' }), []);
  });
});
