import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { printProblem } from '@gatehouse/core/problem';
import { anAuthority } from '@gatehouse/dev/certificates';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { readPemBundle, readTrustAnchors } from './pem-bundle.ts';

const a = anAuthority({ name: 'a' });
const b = anAuthority({ name: 'b' });
const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';

const good: Readonly<Record<string, string>> = {
  'as RFC 7468 has it': a.pem + b.pem,
  'glued together': a.pem.trimEnd() + b.pem,
  indented: (a.pem + b.pem).replaceAll(/^/gm, '    '),
  'in lines of Windows': (a.pem + b.pem).replaceAll('\n', '\r\n'),
  'each in one line': [a.pem, b.pem].map((pem) => pem.replaceAll('\n', ' ')).join(),
  'with words and keys between': `roots:\n${a.pem}\n# the next\n${key}${b.pem}end`,
  'with a byte order mark': `\ufeff${a.pem}${b.pem}`,
  'with the label of old': (a.pem + b.pem).replaceAll(' CERTIFICATE', ' X509 CERTIFICATE'),
};

test('certificates are read however a text has them, and written in the one form that every library reads', () => {
  for (const [what, text] of Object.entries(good)) {
    const bundle = readPemBundle(text);
    const ders = bundle.ok ? bundle.value.certificates.map((der) => Uint8Array.from(der)) : [];
    assert.deepEqual(ders, [a.certificate, b.certificate], what);
    assert.equal(bundle.ok && bundle.value.pem, a.pem + b.pem, what);
    assert.doesNotThrow(() => createSecureContext({ ca: bundle.ok ? bundle.value.pem : '' }), what);
  }
  assert.equal(Object.keys(good).length, 8);
});

const [firstLine = '', ...moreLines] = a.pem.split('\n');
const bad: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
  ['nothing', '', /^holds no certificate: use PEM/],
  ['a key alone', key, /no certificate/],
  ['half of the last one', a.pem + b.pem.slice(0, 300), /^ends within a certificate: write it whole$/],
  ['the first line of the last one', `${a.pem}-----BEGIN CERT`, /^ends within a line/],
  [
    'letters that are not base64',
    [firstLine, '?', ...moreLines].join('\n'),
    /^holds a certificate, number 1, that cannot be read/,
  ],
  [
    'something else in base64',
    a.pem + b.pem.replace(/\n[^-]+\n/, '\nAAAA\n'),
    /^holds a certificate, number 2, that/,
  ],
  [
    'bytes after the certificate',
    `${firstLine}\n${Buffer.concat([a.certificate, Buffer.of(0)]).toString('base64')}\n-----END CERTIFICATE-----`,
    /number 1/,
  ],
  ["OpenSSL's own form", a.pem.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE'), /not X\.509: convert it/],
];

const caseOf = (file: string): Promise<string> =>
  readFile(new URL(`../../../testing/cases/glued-bundle/${file}`, import.meta.url), 'utf8');

test("operators' bundles, glued and indented, are read whole", async () => {
  const subjects = async (file: string): Promise<readonly string[]> => {
    const bundle = readPemBundle(await caseOf(file));
    return bundle.ok ? bundle.value.certificates.map((der) => new X509Certificate(der).subject) : [];
  };
  assert.deepEqual(
    [await subjects('glued.crt'), await subjects('indented.crt')],
    [['CN=root A', 'CN=root B'], ['CN=root B']],
  );
});

test('a bundle of which anything cannot be read is rejected whole', () => {
  for (const [what, text, pattern] of bad) {
    const bundle = readPemBundle(text);
    assert.match(bundle.ok ? 'read' : bundle.problems.map(printProblem).join('; '), pattern, what);
  }
  assert.equal(bad.length, 8);
});

test('trust anchors are handed on as they were read, and a file that cannot be used is named', async (context) => {
  const path = join(await temporaryFolder(context), 'ca-bundle.crt');
  await writeFile(path, a.pem.trimEnd() + b.pem);
  assert.equal(await readTrustAnchors(path), a.pem + b.pem);
  await writeFile(path, a.pem.slice(0, 100));
  await assert.rejects(readTrustAnchors(path), /ca-bundle\.crt ends within a certificate: write it whole/);
  await assert.rejects(readTrustAnchors(`${path}.old`), /cannot be read \(ENOENT\)/);
});
