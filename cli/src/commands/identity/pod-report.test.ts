import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IssuedItem } from './issued-item.ts';
import { reportOf } from './pod-report.ts';

const hour = 3_600_000;
const start = Date.parse('2026-11-22T10:00:00Z');
const at = (hours: number): string => new Date(start + hours * hour).toISOString();

const issued = (hours: number, about: Partial<IssuedItem> = {}): IssuedItem => ({
  issuedAt: at(hours),
  identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
  pod: { namespace: 'demo', name: 'web', uid: 'u1' },
  serial: '40',
  spkiSha256: 'aa',
  notBefore: at(hours),
  notAfter: at(hours + 24),
  ...about,
});

test('a pod without certificates has no report, and what went to no pod counts for none', () => {
  assert.equal(reportOf([], start), undefined);
  assert.equal(reportOf([issued(0, { pod: null })], start), undefined);
});

test('renewals, keys and the first issue are those of the newest life of the name', () => {
  const other = issued(0, { pod: { namespace: 'demo', name: 'web', uid: 'u0' } });
  const report = reportOf(
    [issued(40), issued(20, { spkiSha256: 'bb' }), issued(3), other],
    start + 41 * hour,
  );
  assert.deepEqual(
    [report?.renewals, report?.keys, report?.since, report?.certificate.issuedAt],
    [2, 2, at(3), at(40)],
  );
});

test('the state follows the clock: not yet, valid, due, overdue, expired', () => {
  const cases: readonly (readonly [number, string, boolean])[] = [
    [-1, 'not valid yet', false],
    [0, 'valid', false],
    [16.8, 'valid', false],
    [17, 'valid', true],
    [24, 'valid', true],
    [25, 'expired', true],
  ];
  assert.equal(cases.length, 6);
  for (const [hours, state, overdue] of cases) {
    const report = reportOf([issued(0)], start + hours * hour);
    assert.deepEqual([report?.state, report?.overdue], [state, overdue], `${hours}`);
  }
  assert.equal(reportOf([issued(0)], start)?.renewalDue, at(16.8));
});

test('a certificate for a key that the pod had left behind is told', () => {
  const suspicious = { newerSpkiSha256: 'bb', newerSince: at(1) };
  const found = reportOf([issued(2, { suspicious }), issued(1), issued(0, { suspicious: null })], start);
  assert.equal(found?.suspicious.length, 1);
  assert.equal(reportOf([issued(2)], start)?.suspicious.length, 0);
});
