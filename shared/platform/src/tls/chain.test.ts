import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aCertificate, anAuthority, type TestAuthority } from '@gatehouse/dev/certificates';
import { chainFlaw } from './chain.ts';
import { certificatesInPem, pemOf } from './material.ts';

const now = Date.now();
const hour = 3_600_000;
const root = anAuthority({ name: 'root' });
const issuer = anAuthority({ name: 'issuer', issuedBy: root });
const leaf = aCertificate(issuer, { dns: ['a.mesh'] });

/** A chain of issuers below the root, the last first. */
const tower = (height: number): TestAuthority => {
  let top = root;
  for (let level = 0; level < height; level += 1)
    top = anAuthority({ name: `level ${level}`, issuedBy: top });
  return top;
};

test('a chain is good when some path of issuers leads to an anchor', () => {
  const other = anAuthority({ name: 'other' });
  const six = tower(6);
  const old = anAuthority({ name: 'old', notBefore: now - 2 * hour, notAfter: now - hour });
  const cases: [string, readonly Uint8Array[], readonly TestAuthority[]][] = [
    ['through an issuer', [leaf, issuer.certificate], [root]],
    ['below the root itself', [aCertificate(root, { dns: ['a.mesh'] })], [root]],
    ['with the root sent along', [leaf, issuer.certificate, root.certificate], [root]],
    ['in another order', [leaf, root.certificate, issuer.certificate], [root]],
    ['with several anchors', [leaf, issuer.certificate], [other, root]],
    ['with the issuer itself as anchor', [leaf], [issuer]],
    ['six issuers', [aCertificate(six, { dns: ['a.mesh'] }), ...six.chain], [root]],
    ['an expired anchor, since only its name and key count', [aCertificate(old, { dns: ['a.mesh'] })], [old]],
  ];
  assert.equal(cases.length, 8);
  for (const [title, chain, anchors] of cases) {
    assert.equal(
      chainFlaw(
        chain,
        anchors.map((anchor) => anchor.certificate),
        now,
      ),
      undefined,
      title,
    );
  }
});

test('a chain that a proxy would not believe is refused with the reason', () => {
  const namesake = anAuthority({ name: 'root' });
  const expired = anAuthority({
    name: 'old',
    issuedBy: root,
    notBefore: now - 2 * hour,
    notAfter: now - hour,
  });
  const impostor = anAuthority({ name: 'impostor', issuedBy: issuer, ca: false });
  const seven = tower(7);
  const many = Array.from({ length: 9 }, () => issuer.certificate);
  const cases: [string, readonly Uint8Array[], RegExp][] = [
    ['nothing', [], /no certificate/],
    ['no issuer', [leaf], /no issuer or trust anchor for `CN=issuer`/],
    [
      'another root of the same name',
      [aCertificate(namesake, { dns: ['a.mesh'] })],
      /no issuer or trust anchor/,
    ],
    [
      'an expired leaf',
      [aCertificate(root, { dns: ['a.mesh'], notAfter: now - hour / 2 })],
      /the leaf is valid from/,
    ],
    [
      'a leaf of the future',
      [aCertificate(root, { dns: ['a.mesh'], notBefore: now + hour })],
      /the leaf is valid from/,
    ],
    [
      'an expired issuer',
      [aCertificate(expired, { dns: ['a.mesh'] }), expired.certificate],
      /the issuer is valid from/,
    ],
    [
      'an issuer that is not a CA',
      [aCertificate(impostor, { dns: ['a.mesh'] }), ...impostor.chain],
      /`CN=impostor` is not a CA/,
    ],
    ['a CA as leaf', [issuer.certificate], /the leaf is a CA/],
    [
      'seven issuers',
      [aCertificate(seven, { dns: ['a.mesh'] }), ...seven.chain],
      /more than 6 intermediates/,
    ],
    ['nine certificates besides', [leaf, ...many], /9 intermediates were sent/],
  ];
  assert.equal(cases.length, 10);
  for (const [title, chain, reason] of cases) {
    assert.match(chainFlaw(chain, [root.certificate], now) ?? '', reason, title);
  }
});

test('a PEM bundle is read with text around it, and written in lines of 64', () => {
  const bundle = `# roots\n${root.pem}\nsome words\r\n${issuer.pem.replaceAll('\n', '\r\n')}`;
  assert.deepEqual(
    certificatesInPem(bundle).map((der) => Buffer.from(der)),
    [Buffer.from(root.certificate), Buffer.from(issuer.certificate)],
  );
  assert.deepEqual(certificatesInPem('no certificate'), []);
  assert.ok(
    pemOf(root.certificate)
      .split('\n')
      .every((line) => line.length <= 64),
  );
});
