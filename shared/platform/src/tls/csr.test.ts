import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { parseDer, readBitString, readOid } from '@gatehouse/core/der/parse-der';
import { aKey } from '@gatehouse/dev/certificates';
import { makeCsr } from './csr.ts';

const name = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';

test('a request is strict DER for our key and name, signed by that key', () => {
  const key = aKey();
  const read = parseDer(makeCsr(key, name));
  assert.ok(read.ok);
  const [info, algorithm, signature] = read.value.children;
  const [version, subject, spki, attributes] = info?.children ?? [];
  assert.deepEqual([...(version?.content ?? [])], [0]);
  assert.deepEqual(
    Buffer.from(spki?.bytes ?? []),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
  );
  assert.equal(readOid(algorithm?.children[0]), '1.2.840.10045.4.3.2');
  assert.match(Buffer.from(subject?.bytes ?? []).toString('latin1'), new RegExp(name));
  assert.match(Buffer.from(attributes?.bytes ?? []).toString('latin1'), new RegExp(name));
  assert.ok(
    verify(
      'sha256',
      info?.bytes ?? Buffer.alloc(0),
      createPublicKey(key),
      readBitString(signature) ?? Buffer.alloc(0),
    ),
  );
});

const withoutOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

test('openssl reads and verifies the request', { skip: withoutOpenssl }, () => {
  const text = execFileSync('openssl', ['req', '-inform', 'DER', '-verify', '-noout', '-text', '-subject'], {
    input: makeCsr(aKey(), name),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  assert.match(text, /Version: 1 \(0x0\)/);
  assert.match(text, /ASN1 OID: prime256v1/);
  assert.match(text, new RegExp(`X509v3 Subject Alternative Name: \\s*DNS:${name}\\n`));
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  assert.match(text, new RegExp(`subject=CN ?= ?${name}`));
});

test('openssl says that a request with a changed byte does not verify', { skip: withoutOpenssl }, () => {
  const csr = makeCsr(aKey(), name);
  const at = csr.indexOf(name);
  csr[at] = (csr[at] ?? 0) ^ 1;
  const { stderr } = spawnSync('openssl', ['req', '-inform', 'DER', '-verify', '-noout'], {
    input: csr,
    encoding: 'utf8',
  });
  assert.match(stderr, /verify failure|Certificate request self-signature verify failure/i);
});
