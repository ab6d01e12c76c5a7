import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { dnsNamesOf } from '@gatehouse/core/der/certificate-names';
import { GatehouseError } from '@gatehouse/core/error';
import { CertifyRequest, CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { GrpcClient, type GrpcClientOptions } from '../grpc/client.ts';
import { chainFlaw } from '../tls/chain.ts';
import { makeCsr } from '../tls/csr.ts';
import { certificatesInPem, type TlsMaterial } from '../tls/material.ts';

const certifyPath = '/io.linkerd.proxy.identity.Identity/Certify';

export interface CertifyOptions {
  /** Where identity answers, and how it is recognised; its trust anchors are also what the answer must chain to. */
  readonly server: Pick<GrpcClientOptions, 'address' | 'security' | 'localAddress'>;
  /** PEM. */
  readonly trustAnchors: string;
  /** The mesh name to be certified for. */
  readonly name: string;
  readonly key: KeyObject;
  /** A signing request made before for the same key and name. Default: made. */
  readonly csr?: Uint8Array;
  readonly token: Uint8Array;
  readonly signal?: AbortSignal;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** What identity gave us, checked; between these times, in epoch milliseconds, peers accept it. */
export interface Certified extends TlsMaterial {
  readonly validFrom: number;
  readonly validUntil: number;
}

/**
 * One Certify, over a connection of its own as the proxy does it. Rejects with identity's status, or with `internal` when
 * what came back is not what a proxy would take (contract/proxy.md §1.2).
 */
export const certify = async (options: CertifyOptions): Promise<Certified> => {
  const { name, key, token, server, signal } = options;
  const client = new GrpcClient(server);
  try {
    const request = CertifyRequest.encode({
      identity: name,
      token: Buffer.from(token),
      certificateSigningRequest: Buffer.from(options.csr ?? makeCsr(key, name)),
    }).finish();
    const answer = await client.unary(certifyPath, request, signal === undefined ? {} : { signal });
    return check(decode(answer), options);
  } finally {
    await client.close();
  }
};

const decode = (answer: Uint8Array): CertifyResponse => {
  try {
    return CertifyResponse.decode(answer);
  } catch (cause) {
    throw new GatehouseError('internal', 'identity sent an answer that does not parse', { cause });
  }
};

/** Refuses what a proxy would refuse, so that a service never shows a certificate that no client takes. */
const check = (
  answer: CertifyResponse,
  { name, key, trustAnchors, now = Date.now }: CertifyOptions,
): Certified => {
  const chain = [answer.leafCertificate, ...answer.intermediateCertificates];
  const flaw = flawOf(answer, { name, key, anchors: certificatesInPem(trustAnchors), now: now() });
  if (flaw !== undefined) {
    throw new GatehouseError('internal', `identity sent a certificate that is of no use: ${flaw}`, {
      details: { name, leaf: answer.leafCertificate.toString('base64') },
    });
  }
  const { validFromDate, validToDate } = new X509Certificate(answer.leafCertificate);
  // What identity says of the end is for schedules; peers judge by the certificate itself (contract/proxy.md §1.2).
  const validUntil = Math.min(answer.validUntil?.getTime() ?? 0, validToDate.getTime());
  return { key, chain, trustAnchors, validFrom: validFromDate.getTime(), validUntil };
};

const flawOf = (
  answer: CertifyResponse,
  expected: { name: string; key: KeyObject; anchors: readonly Uint8Array[]; now: number },
): string | undefined => {
  if (answer.validUntil === undefined) return 'valid_until is missing';
  if (answer.validUntil.getTime() <= expected.now) return `it expired at ${answer.validUntil.toISOString()}`;
  try {
    const leaf = new X509Certificate(answer.leafCertificate);
    if (!spki(leaf.publicKey).equals(spki(createPublicKey(expected.key)))) return 'it is for another key';
    const names = dnsNamesOf(leaf.raw);
    if (!names.includes(expected.name)) return `it is for \`${names.join('`, `')}\``;
    const chain = [answer.leafCertificate, ...answer.intermediateCertificates];
    return chainFlaw(chain, expected.anchors, expected.now);
  } catch (error) {
    return `it does not parse: ${error instanceof Error ? error.message : String(error)}`;
  }
};

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
