import { createPublicKey } from 'node:crypto';
import type { TestContext } from 'node:test';
import { parseDer } from '@gatehouse/core/der/parse-der';
import { aCertificate, aTlsMaterial, type TestAuthority } from '@gatehouse/dev/certificates';
import type { RunningGrpcServer } from '@gatehouse/platform/grpc/server';
import { CertifyRequest, CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { aGrpcServer } from './grpc.ts';

export interface CertifyServer {
  readonly server: RunningGrpcServer;
  /** What was asked, in order. */
  readonly requests: readonly CertifyRequest[];
  /** Changes what is answered from now on; a throw becomes the status. */
  answer(change: (good: CertifyResponse, request: CertifyRequest) => CertifyResponse): void;
}

/** Identity as far as its clients can tell: it signs for every caller, and can be made to answer wrongly. */
export const aCertifyServer = async (
  t: TestContext,
  options: {
    readonly root: TestAuthority;
    readonly issuer: TestAuthority;
    /** Serves TLS with this name. Default: plaintext. */
    readonly serverName?: string;
    /** How long leaves live, in milliseconds. */
    readonly lifetimeMs?: number;
  },
): Promise<CertifyServer> => {
  const { root, issuer, serverName, lifetimeMs = 86_400_000 } = options;
  const requests: CertifyRequest[] = [];
  let change = (good: CertifyResponse, _request: CertifyRequest): CertifyResponse => good;
  const server = await aGrpcServer(t, {
    tls:
      serverName === undefined
        ? 'plaintext'
        : { material: aTlsMaterial(issuer, { name: serverName, roots: [root] }) },
    methods: {
      '/io.linkerd.proxy.identity.Identity/Certify': {
        kind: 'unary',
        handle: (call) => {
          const request = CertifyRequest.decode(call.request);
          requests.push(request);
          const notAfter = Math.floor((Date.now() + lifetimeMs) / 1_000) * 1_000;
          const leaf = aCertificate(issuer, {
            dns: [request.identity],
            publicKey: createPublicKey({ key: spkiOf(request), format: 'der', type: 'spki' }),
            notAfter,
          });
          const good = {
            leafCertificate: Buffer.from(leaf),
            intermediateCertificates: issuer.chain.map((each) => Buffer.from(each)),
            validUntil: new Date(notAfter),
          };
          return CertifyResponse.encode(change(good, request)).finish();
        },
      },
    },
  });
  return {
    server,
    requests,
    answer: (next) => {
      change = next;
    },
  };
};

const spkiOf = ({ certificateSigningRequest }: CertifyRequest): Buffer => {
  const csr = parseDer(certificateSigningRequest);
  return Buffer.from(csr.ok ? (csr.value.children[0]?.children[2]?.bytes ?? []) : []);
};
