import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseDer } from '@gatehouse/core/der/parse-der';
import {
  aCertificate,
  aKey,
  anAuthority,
  type TestAuthority,
  type Validity,
} from '@gatehouse/dev/certificates';
import { pemOf } from '@gatehouse/platform/tls/material';
import type { OwnTls, ServedTls } from '../agent/messages.ts';
import type { RealMesh } from '../rig/real-mesh.ts';

/** The embedded issuer, so that a scenario can certify what identity never would. */
const issuerOf = ({ state }: RealMesh): Promise<TestAuthority> =>
  authorityOf(state.issuerCert, state.issuerKey);

/** The embedded root. */
export const rootOf = async ({ state }: RealMesh): Promise<TestAuthority> => {
  const root = await authorityOf(state.rootCert, state.rootKey);
  return { ...root, chain: [] };
};

const authorityOf = async (certificateFile: string, keyFile: string): Promise<TestAuthority> => {
  const pem = await readFile(certificateFile, 'utf8');
  const certificate = new X509Certificate(pem);
  const parsed = parseDer(certificate.raw);
  // TBSCertificate: version, serial, algorithm, issuer, validity, subject (RFC 5280 4.1).
  const subject = parsed.ok ? parsed.value.children[0]?.children[5]?.bytes : undefined;
  assert.ok(subject);
  return {
    name: certificate.subject,
    subject,
    key: createPrivateKey(await readFile(keyFile)),
    certificate: certificate.raw,
    pem,
    chain: [certificate.raw],
  };
};

/** What an application that ends TLS itself shows: nothing that the mesh has to do with. */
export const applicationTls = (): ServedTls => {
  const key = aKey();
  const leaf = aCertificate(anAuthority(), { dns: ['app.example.com'], publicKey: createPublicKey(key) });
  return { certificate: pemOf(leaf), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
};

/** A certificate of the mesh's own issuer for any name: what a stolen or an expired one would be. */
export const ownTls = async (
  mesh: RealMesh,
  { name, serverName, ...validity }: { readonly name: string; readonly serverName: string } & Validity,
): Promise<OwnTls> => {
  const issuer = await issuerOf(mesh);
  const key = aKey();
  const leaf = aCertificate(issuer, { dns: [name], publicKey: createPublicKey(key), ...validity });
  return {
    serverName,
    certificate: [leaf, ...issuer.chain].map(pemOf).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};
