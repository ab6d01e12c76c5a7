import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventNote } from '@gatehouse/platform/kube/write/events';
import { silentLog } from '@gatehouse/platform/log/log';
import { aCa, type TestCa } from '../../../testing/ca-builder.ts';
import { meshSuffix } from '../../../testing/issuer-offers.ts';
import { IssuerExpiry } from '../../ports/issuer/issuer-expiry-watch.ts';
import { keepIssuer } from '../../ports/issuer/kept-issuer.ts';
import { readCaCertificate } from '../../ports/issuer/read-ca-certificate.ts';
import { isSignedBy } from '../../ports/issuer/x509.ts';
import { expiryWarnings, rolesIn, type Trust } from './issuer-expiry.ts';
import { judgeIssuer } from './judge-issuer.ts';

const day = 86_400_000;
const start = Math.floor(Date.now() / 1000) * 1000;
/** From ten days ago until so many days from now. */
const until = (days: number) => ({ notBefore: start - 10 * day, notAfter: start + days * day });

const trustOf = (issuer: TestCa, anchors: readonly TestCa[], others: readonly TestCa[] = []): Trust => {
  const read = ({ der }: TestCa) => {
    const outcome = readCaCertificate(der);
    assert.ok(outcome.ok);
    return outcome.value;
  };
  const judged = judgeIssuer(
    { certificate: read(issuer), others: others.map(read), keyMatches: true },
    {
      anchors: anchors.map(read),
      now: start / 1000,
      names: { suffix: meshSuffix, own: [] },
      isSignedBy,
    },
  );
  assert.ok(judged.ok, JSON.stringify(judged));
  return { judged: judged.value, anchors: anchors.map(read) };
};

const said = (trust: Trust, now = start, leafLifetimeMs = day): readonly string[] =>
  expiryWarnings(trust, { now, leafLifetimeMs }).map(({ found }) => found.replace(/20\d\d-\S+Z/g, '…'));

describe('what is going to end', () => {
  it('is nothing while more than a fifth of every life is left', async () => {
    const root = await aCa(until(100));
    assert.deepEqual(said(trustOf(await aCa({ parent: root, ...until(50) }), [root])), []);
  });

  it('says from when on certificates are cut, and when they already are', async () => {
    const root = await aCa(until(100));
    const trust = trustOf(await aCa({ parent: root, ...until(2) }), [root]);
    assert.deepEqual(said(trust), [
      'issuer CN=issuer ends in 2 days, at …: certificates are cut to it from … on',
    ]);
    assert.deepEqual(said(trust, start + 1.5 * day), [
      'issuer CN=issuer ends in 12 hours, at …: certificates are already cut to it',
    ]);
    assert.deepEqual(said(trust, start + 3 * day), [
      'issuer CN=issuer expired at …: no certificate can be issued',
    ]);
  });

  it('names the end that counts when several are near', async () => {
    const root = await aCa(until(100));
    const top = await aCa({ name: 'top', parent: root, ...until(1) });
    const trust = trustOf(await aCa({ parent: top, ...until(2) }), [root], [top]);
    assert.deepEqual(said(trust, start, day / 2), [
      'issuer CN=issuer ends in 2 days, at …: CN=top ends before it',
      'intermediate CN=top ends in 24 hours, at …: certificates are cut to it from … on',
    ]);
  });

  it('tells a root in use from one that nothing needs, and a cross certificate from an intermediate', async () => {
    const old = await aCa({ name: 'old', ...until(1) });
    const root = await aCa({ name: 'new', ...until(2) });
    const cross = await aCa({ name: 'new', keys: root, parent: old, ...until(1) });
    const trust = trustOf(await aCa({ parent: root, ...until(100) }), [old, root], [cross]);
    assert.deepEqual(
      rolesIn(trust).map(([role, { name }]) => `${role} ${name}`),
      ['issuer CN=issuer', 'root CN=new', 'cross CN=new', 'other-root CN=old'],
    );
    assert.deepEqual(
      said(trust).map((words) => words.split(':')[0]),
      [
        'root CN=new ends in 2 days, at …',
        'cross certificate CN=new ends in 24 hours, at …',
        'root CN=old ends in 24 hours, at …',
      ],
    );
  });

  it('names an issuer that is its own anchor once', async () => {
    const root = await aCa(until(1));
    assert.deepEqual(
      rolesIn(trustOf(root, [root])).map(([role]) => role),
      ['issuer'],
    );
  });
});

describe('who tells what is going to end', () => {
  it('says it when a share of life has come, once a day besides, and never of what was replaced', async () => {
    const root = await aCa(until(1_000));
    const issuer = await aCa({ parent: root, ...until(2) });
    const next = await aCa({ parent: root, name: 'next', ...until(500) });
    const kept = (ca: TestCa) => {
      const { judged, anchors } = trustOf(ca, [root]);
      return { ...keepIssuer(judged, { anchors } as never, undefined), anchors };
    };
    let current = kept(issuer);
    let now = start;
    const events: EventNote[] = [];
    const expiry = new IssuerExpiry({
      keeper: {
        get current() {
          return current;
        },
      },
      leafLifetimeMs: day,
      log: silentLog,
      events: { record: (event) => void events.push(event) },
      now: () => now,
      elapsed: () => now - start,
    });
    const hours: number[] = [];
    for (let hour = 0; hour < 96; hour += 1) {
      now = start + (hour * day) / 24;
      const before = events.length;
      expiry.tell();
      if (events.length > before) hours.push(hour);
    }
    // 10 % of twelve days are left after 20 hours, 5 % after 34, 1 % after 46, nothing after 48; then day by day.
    assert.deepEqual(hours, [0, 20, 34, 46, 48, 72]);
    assert.deepEqual(
      events.map(({ reason }) => reason),
      [...Array(4).fill('CertificateExpiring'), ...Array(2).fill('CertificateExpired')],
    );
    current = kept(next);
    expiry.tell();
    assert.equal(events.length, 6);
    assert.deepEqual(expiry.warnings(), []);
  });
});
