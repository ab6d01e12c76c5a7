import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readCsr } from '@gatehouse/identity/core/leaf/csr';
import { csr, type SignedToken, workload } from './workload.ts';

/**
 * What cannot be saved of one certificate: import the key of the request, verify its signature and that of the token, sign
 * the leaf (design §14). Returns a function that does it once, on whatever thread calls it.
 */
export const floorOf = ({ publicKey, token }: SignedToken): (() => void) => {
  const reading = readCsr(csr, workload.identity);
  if (reading.kind !== 'read') throw new Error(reading.why);
  const { info, spki, signature } = reading.csr;
  const dot = token.lastIndexOf(0x2e);
  const signed = token.subarray(0, dot);
  const seal = Buffer.from(Buffer.from(token.subarray(dot + 1)).toString(), 'base64url');
  const tokenKey = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const issuerKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  // As long as the TBSCertificate of the workload.
  const tbs = new Uint8Array(450).fill(0x5a);
  return () => {
    const key = createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' });
    if (!verify('sha256', info, key, signature)) throw new Error('the request does not verify');
    if (!verify('sha256', signed, tokenKey, seal)) throw new Error('the token does not verify');
    sign('sha256', tbs, issuerKey);
  };
};
