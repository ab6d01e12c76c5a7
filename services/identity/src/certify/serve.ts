import { GatehouseError } from '@gatehouse/core/error';
import type { Methods } from '@gatehouse/platform/grpc/transport';
import { holderOf } from '@gatehouse/platform/limits/holder';
import { CertifyRequest, CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { type Certified, type Certifier, certify } from './certify.ts';

/** The gRPC face of `certify`: decode, certify, encode (contract/proxy.md §1.2). */
export const certifyMethods = (certifier: Certifier): Methods => ({
  '/io.linkerd.proxy.identity.Identity/Certify': {
    kind: 'unary',
    handle: async ({ request, peer, signal }) => {
      const asking = { from: holderOf(peer.address), signal };
      return encode(await certify(certifier, decode(request), asking));
    },
  },
});

const decode = (bytes: Uint8Array): CertifyRequest => {
  try {
    return CertifyRequest.decode(bytes);
  } catch (cause) {
    throw new GatehouseError('invalid-argument', 'the message is not a valid CertifyRequest', { cause });
  }
};

const encode = ({ leaf, intermediates, validUntil }: Certified): Uint8Array =>
  CertifyResponse.encode({
    leafCertificate: leaf as Buffer,
    intermediateCertificates: intermediates as Buffer[],
    validUntil: new Date(validUntil * 1000),
  }).finish();
