import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { dnsNamesOf } from '@gatehouse/core/der/certificate-names';
import { GatehouseError } from '@gatehouse/core/error';
import { aCertificate, aKey, anAuthority } from '@gatehouse/dev/certificates';
import { aCertifyServer } from '@gatehouse/testing/certify-server';
import { portOf } from '@gatehouse/testing/grpc';
import type { CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { type CertifyOptions, certify } from './certify-client.ts';

const root = anAuthority({ name: 'root' });
const issuer = anAuthority({ name: 'issuer', issuedBy: root });
const name = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';

const optionsFor = (
  server: { readonly address: string },
  more: Partial<CertifyOptions> = {},
): CertifyOptions => ({
  server: { address: { host: '127.0.0.1', port: portOf(server) }, security: 'plaintext' },
  trustAnchors: root.pem,
  name,
  key: aKey(),
  token: Buffer.from('a token'),
  ...more,
});

test('a leaf for our name and key comes back with its chain and expiry', async (t) => {
  const identity = await aCertifyServer(t, { root, issuer });
  const options = optionsFor(identity.server);
  const certified = await certify(options);
  assert.equal(certified.key, options.key);
  assert.equal(certified.chain.length, 2);
  assert.deepEqual(dnsNamesOf(certified.chain[0] ?? Buffer.alloc(0)), [name]);
  assert.ok(certified.validUntil > Date.now());
  assert.deepEqual(
    identity.requests.map(({ identity: asked, token }) => [asked, token.toString()]),
    [[name, 'a token']],
  );
});

test('each call has a connection of its own, over TLS with the mesh name', async (t) => {
  const serverName = 'identity.mesh';
  const identity = await aCertifyServer(t, { root, issuer, serverName });
  const options = optionsFor(identity.server);
  const security = { serverName, trustAnchors: root.pem };
  const server = { ...options.server, security };
  await certify({ ...options, server });
  await certify({ ...options, server });
  assert.equal(identity.requests.length, 2);
  await assert.rejects(
    certify({ ...options, server: { ...server, security: { ...security, serverName: 'policy.mesh' } } }),
    {
      code: 'unavailable',
      message: /the server is `identity\.mesh`, not `policy\.mesh`/,
    },
  );
  assert.equal(identity.requests.length, 2, 'no token is sent to a server that is not identity');
});

test("identity's refusals are passed on", async (t) => {
  const identity = await aCertifyServer(t, { root, issuer });
  identity.answer(() => {
    throw new GatehouseError('failed-precondition', 'the token is for another service account');
  });
  await assert.rejects(certify(optionsFor(identity.server)), {
    code: 'failed-precondition',
    message: 'the token is for another service account',
  });
});

test('what a proxy would not take is refused with the reason', async (t) => {
  const identity = await aCertifyServer(t, { root, issuer });
  const stranger = anAuthority({ name: 'stranger' });
  const options = optionsFor(identity.server);
  const leaf = (dns: string, by = issuer): Buffer => Buffer.from(aCertificate(by, { dns: [dns] }));
  const cases: [string, (good: CertifyResponse) => CertifyResponse, RegExp][] = [
    ['no expiry', (good) => ({ ...good, validUntil: undefined }), /valid_until is missing/],
    ['expired', (good) => ({ ...good, validUntil: new Date(1_000) }), /expired at 1970/],
    ['no leaf', (good) => ({ ...good, leafCertificate: Buffer.alloc(0) }), /does not parse/],
    [
      'PEM, as the protocol once said',
      (good) => ({ ...good, intermediateCertificates: [Buffer.from('-----')] }),
      /does not parse/,
    ],
    ['another key', (good) => ({ ...good, leafCertificate: leaf(name) }), /for another key/],
    ['no issuer', (good) => ({ ...good, intermediateCertificates: [] }), /no issuer or trust anchor/],
  ];
  assert.equal(cases.length, 6);
  for (const [title, change, reason] of cases) {
    identity.answer(change);
    await assert.rejects(certify(options), { code: 'internal', message: reason }, title);
  }
  identity.answer((good) => good);
  await assert.rejects(certify({ ...options, trustAnchors: stranger.pem }), {
    code: 'internal',
    message: /no issuer/,
  });
  await certify(options);
});

test('a leaf for another name is refused', async (t) => {
  const identity = await aCertifyServer(t, { root, issuer });
  const key = aKey();
  identity.answer((good) => {
    const other = aCertificate(issuer, { dns: ['other.mesh'], publicKey: createPublicKey(key) });
    return { ...good, leafCertificate: Buffer.from(other) };
  });
  await assert.rejects(certify(optionsFor(identity.server, { key })), { message: /it is for `other\.mesh`/ });
});

test('a call can be given up', async (t) => {
  const identity = await aCertifyServer(t, { root, issuer });
  await assert.rejects(certify(optionsFor(identity.server, { signal: AbortSignal.abort() })), {
    code: 'cancelled',
  });
});
