import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aCertificate, anAuthority } from '@gatehouse/dev/certificates';
import { dnsNamesOf } from './certificate-names.ts';

const root = anAuthority();

test('DNS names come in their order, lower case, without other kinds of names', () => {
  const certificate = aCertificate(root, { dns: ['B.mesh', 'a.mesh'], uris: ['spiffe://mesh/c'] });
  assert.deepEqual(dnsNamesOf(certificate), ['b.mesh', 'a.mesh']);
});

test('a certificate without names, or bytes that are not a certificate, have none', () => {
  assert.deepEqual(dnsNamesOf(aCertificate(root, { dns: [] })), []);
  assert.deepEqual(dnsNamesOf(root.certificate), []);
  assert.deepEqual(dnsNamesOf(Buffer.from('no certificate')), []);
  assert.deepEqual(dnsNamesOf(new Uint8Array()), []);
});

test('a name that hides a second one in its text is one name', () => {
  // What Node's own text form would have to quote: a name with a comma and a prefix in it.
  assert.deepEqual(dnsNamesOf(aCertificate(root, { dns: ['a.mesh, DNS:b.mesh'] })), ['a.mesh, dns:b.mesh']);
});
