import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pemOf } from '@gatehouse/platform/tls/material';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aCertificate, anAuthority } from './certificates.ts';

const withoutOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

test('openssl accepts what the builders make, strictly', { skip: withoutOpenssl }, async (t) => {
  const folder = await temporaryFolder(t);
  const root = anAuthority({ name: 'root' });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  const leaf = aCertificate(issuer, { dns: ['a.mesh', 'b.mesh'], uris: ['spiffe://mesh/a'] });
  const path = (name: string): string => join(folder, name);
  await writeFile(path('root.crt'), root.pem);
  await writeFile(path('issuer.crt'), issuer.pem);
  await writeFile(path('leaf.crt'), pemOf(leaf));
  for (const purpose of ['sslserver', 'sslclient']) {
    const { stdout, stderr } = spawnSync(
      'openssl',
      [
        'verify',
        '-x509_strict',
        '-purpose',
        purpose,
        '-CAfile',
        path('root.crt'),
        '-untrusted',
        path('issuer.crt'),
        path('leaf.crt'),
      ],
      { encoding: 'utf8' },
    );
    assert.match(stdout, /leaf\.crt: OK/, stderr);
  }
});
