import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  contextTag,
  derBitString,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTag,
  derText,
  writeDer,
} from '@gatehouse/core/der/der';

/**
 * A PKCS#10 request (RFC 2986) in DER as linkerd2-proxy-identity makes it (contract/proxy.md §4): CN and the one DNS SAN
 * are `name`, signed by the P-256 key that is to be certified, ECDSA with SHA-256.
 */
export const makeCsr = (privateKey: KeyObject, name: string): Buffer => {
  const info = derSequence(
    derInteger(0),
    derSequence(derSet(derSequence(derOid('2.5.4.3'), derText(derTag.utf8String, name)))),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    writeDer(contextTag(0, 'constructed'), extensionRequest(name)),
  );
  const signature = sign('sha256', info, privateKey);
  return Buffer.from(derSequence(info, derSequence(derOid('1.2.840.10045.4.3.2')), derBitString(signature)));
};

/** PKCS#9 extensionRequest (RFC 2985 5.4.2) with a subjectAltName. */
const extensionRequest = (name: string): Uint8Array => {
  const names = derSequence(derText(contextTag(2, 'primitive'), name));
  const extension = derSequence(derOid('2.5.29.17'), derOctetString(names));
  return derSequence(derOid('1.2.840.113549.1.9.14'), derSet(derSequence(extension)));
};
