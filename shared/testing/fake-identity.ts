import { createPublicKey } from 'node:crypto';
import { GatehouseError } from '@gatehouse/core/error';
import { aCertificate, type TestAuthority } from '@gatehouse/dev/certificates';
import type { Methods } from '@gatehouse/platform/grpc/transport';
import { CertifyRequest, CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';

/** A P-256 SubjectPublicKeyInfo up to its point (RFC 5480 §2.1), and how long it is with it. */
const spkiPrefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
const spkiBytes = 91;

/** Certify without questions, for anyone who shows a token of the ServiceAccount that the identity names. */
export const fakeIdentity = (authority: TestAuthority): Methods => ({
  '/io.linkerd.proxy.identity.Identity/Certify': {
    kind: 'unary',
    handle: ({ request }) => {
      const { identity, token, certificateSigningRequest: csr } = CertifyRequest.decode(request);
      const [account, namespace] = identity.split('.');
      if (subjectOf(token) !== `system:serviceaccount:${namespace}:${account}`) {
        throw new GatehouseError('permission-denied', 'the token is for another audience');
      }
      const at = csr.indexOf(spkiPrefix);
      const publicKey = createPublicKey({
        key: csr.subarray(at, at + spkiBytes),
        format: 'der',
        type: 'spki',
      });
      return CertifyResponse.encode({
        leafCertificate: Buffer.from(aCertificate(authority, { dns: [identity], publicKey })),
        intermediateCertificates: authority.chain.map((certificate) => Buffer.from(certificate)),
        validUntil: new Date(Date.now() + 3_600_000),
      }).finish();
    },
  },
});

const subjectOf = (token: Uint8Array): unknown => {
  const [, payload = ''] = Buffer.from(token).toString().split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).sub;
};
