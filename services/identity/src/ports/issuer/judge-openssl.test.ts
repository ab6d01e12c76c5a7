import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { acceptedCases } from '../../../testing/accepted-issuers.ts';
import { aCa, KeyUsageFlags } from '../../../testing/ca-builder.ts';
import { type IssuerOffer, meshSuffix } from '../../../testing/issuer-offers.ts';
import { refusedCases } from '../../../testing/refused-issuers.ts';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

const purposes = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

/** What `openssl verify -x509_strict` says of a server's leaf below the issuer; '' = it is good. */
const verdictOn = async (folder: string, { issuer, others, anchors }: IssuerOffer): Promise<string> => {
  const leaf = await aCa({
    name: 'leaf',
    parent: issuer,
    isCa: false,
    usages: KeyUsageFlags.digitalSignature,
    purposes,
    dnsNames: [`gatehouse-identity.gatehouse.${meshSuffix}`],
  });
  const write = async (name: string, all: readonly { readonly pem: string }[]): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, all.map(({ pem }) => pem).join(''));
    return path;
  };
  const { status, stdout, stderr } = spawnSync(
    'openssl',
    [
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-no-CApath', '-no-CAstore'],
      ...['-CAfile', await write('anchors.pem', anchors)],
      ...['-untrusted', await write('chain.pem', [issuer, ...others])],
      await write('leaf.pem', [leaf]),
    ],
    { encoding: 'utf8' },
  );
  return status === 0 ? '' : `${stdout}${stderr}`;
};

describe('OpenSSL agrees on whether a leaf below an issuer is good', { skip }, () => {
  for (const { title, offer, openssl } of acceptedCases) {
    it(`${openssl === 'agrees' ? '' : 'or not: '}it takes one ${title}`, async (test) => {
      const verdict = await verdictOn(await temporaryFolder(test), await offer());
      assert.equal(verdict === '', openssl === 'agrees', verdict);
    });
  }
  for (const { title, offer, openssl } of refusedCases) {
    const differs = openssl === 'agrees' ? '' : `, or not, since ${openssl.differs}`;
    it(`it refuses one if ${title}${differs}`, async (test) => {
      const verdict = await verdictOn(await temporaryFolder(test), await offer());
      assert.equal(verdict !== '', openssl === 'agrees', verdict);
    });
  }
});
