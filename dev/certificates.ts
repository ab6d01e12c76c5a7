import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import {
  contextTag,
  derBitString,
  derBoolean,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTag,
  derText,
  derTime,
  writeDer,
} from '@gatehouse/core/der/der';
import { pemOf, type TlsMaterial } from '@gatehouse/platform/tls/material';

/** A certificate authority of a test: a root, or an issuer below one. */
export interface TestAuthority {
  readonly name: string;
  /** Its name in DER where another program encoded it: proxies compare names byte for byte. */
  readonly subject?: Uint8Array;
  readonly key: KeyObject;
  readonly certificate: Uint8Array;
  readonly pem: string;
  /** Its own certificate and those above it without the root: what a leaf is sent with. Empty for a root. */
  readonly chain: readonly Uint8Array[];
}

export interface Validity {
  /** Epoch milliseconds. Default: an hour ago and in a day. */
  readonly notBefore?: number;
  readonly notAfter?: number;
}

export interface LeafOptions extends Validity {
  /** The names to certify, in this order; the subject stays empty, as our own leaves have it. */
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  /** The key to certify. Default: a new P-256 one. */
  readonly publicKey?: KeyObject;
  readonly usages?: readonly ('server' | 'client')[];
}

export const aKey = (curve: 'P-256' | 'P-384' = 'P-256'): KeyObject =>
  generateKeyPairSync('ec', { namedCurve: curve }).privateKey;

/** A root of its own, or, with `issuedBy`, an issuer. */
export const anAuthority = (
  options: {
    readonly name?: string;
    readonly issuedBy?: TestAuthority;
    readonly key?: KeyObject;
    /** False makes an impostor: it signs, but its certificate does not say that it may. */
    readonly ca?: boolean;
  } & Validity = {},
): TestAuthority => {
  const { name = `authority ${randomBytes(4).toString('hex')}`, issuedBy, key = aKey(), ca = true } = options;
  const certificate = issue({
    ...options,
    subject: distinguishedName(name),
    issuer: issuedBy === undefined ? { name, key } : issuedBy,
    publicKey: createPublicKey(key),
    extensions: [
      extension('2.5.29.19', 'critical', derSequence(...(ca ? [derBoolean(true)] : []))),
      extension('2.5.29.15', 'critical', derBitString(Uint8Array.of(0b0000_0110), 1)),
    ],
  });
  return {
    name,
    key,
    certificate,
    pem: pemOf(certificate),
    chain: issuedBy === undefined ? [] : [certificate, ...issuedBy.chain],
  };
};

/** A leaf for a given public key, in DER. */
export const aCertificate = (
  issuer: TestAuthority,
  {
    dns = [],
    uris = [],
    publicKey = createPublicKey(aKey()),
    usages = ['server', 'client'],
    ...validity
  }: LeafOptions,
): Uint8Array => {
  const ia5 = (tag: number, text: string) => derText(contextTag(tag, 'primitive'), text);
  const usageOids = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };
  return issue({
    ...validity,
    subject: derSequence(),
    issuer,
    publicKey,
    extensions: [
      extension('2.5.29.15', 'critical', derBitString(Uint8Array.of(0b1000_0000), 7)),
      extension('2.5.29.37', 'plain', derSequence(...usages.map((usage) => derOid(usageOids[usage])))),
      extension(
        '2.5.29.17',
        'critical',
        derSequence(...uris.map((uri) => ia5(6, uri)), ...dns.map((name) => ia5(2, name))),
      ),
    ],
  });
};

/** A key, its leaf for `name` and the issuer's chain, ready to serve or to call with; it trusts the given roots. */
export const aTlsMaterial = (
  issuer: TestAuthority,
  {
    name,
    roots = [issuer],
    ...validity
  }: { readonly name: string; readonly roots?: readonly TestAuthority[] } & Validity,
): TlsMaterial => {
  const key = aKey();
  const leaf = aCertificate(issuer, { dns: [name], publicKey: createPublicKey(key), ...validity });
  return { key, chain: [leaf, ...issuer.chain], trustAnchors: roots.map((root) => root.pem).join('') };
};

const ecdsaWithSha256 = derSequence(derOid('1.2.840.10045.4.3.2'));

const distinguishedName = (commonName: string): Uint8Array =>
  derSequence(derSet(derSequence(derOid('2.5.4.3'), derText(derTag.utf8String, commonName))));

const extension = (oid: string, criticality: 'critical' | 'plain', value: Uint8Array): Uint8Array =>
  derSequence(derOid(oid), ...(criticality === 'critical' ? [derBoolean(true)] : []), derOctetString(value));

/** RFC 5280 4.1: the certificate around what it says. */
const issue = (certificate: {
  readonly subject: Uint8Array;
  readonly issuer: Pick<TestAuthority, 'name' | 'key' | 'subject'>;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
  readonly notBefore?: number;
  readonly notAfter?: number;
}): Uint8Array => {
  const { notBefore = Date.now() - 3_600_000, notAfter = Date.now() + 86_400_000 } = certificate;
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const keyId = (key: KeyObject): Buffer =>
    createHash('sha1')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest();
  const toBeSigned = derSequence(
    writeDer(contextTag(0, 'constructed'), derInteger(2)),
    derInteger(Buffer.concat([Uint8Array.of(1), randomBytes(15)])),
    ecdsaWithSha256,
    certificate.issuer.subject ?? distinguishedName(certificate.issuer.name),
    derSequence(derTime(Math.floor(notBefore / 1_000)), derTime(Math.floor(notAfter / 1_000))),
    certificate.subject,
    spki,
    writeDer(
      contextTag(3, 'constructed'),
      derSequence(
        ...certificate.extensions,
        extension('2.5.29.14', 'plain', derOctetString(keyId(certificate.publicKey))),
        extension(
          '2.5.29.35',
          'plain',
          derSequence(writeDer(contextTag(0, 'primitive'), keyId(createPublicKey(certificate.issuer.key)))),
        ),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, certificate.issuer.key);
  return derSequence(toBeSigned, ecdsaWithSha256, derBitString(signature));
};
