import { compareBytes, contextTag, derOctetString, derTag } from '@gatehouse/core/der/der';
import { parseDer } from '@gatehouse/core/der/parse-der';
import { isDnsName, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { type Parsed, type Problem, parsed } from '@gatehouse/core/problem';
import {
  type CertificateExtension,
  type CertificateFields,
  readTbsCertificate,
} from '../issuer/read-certificate.ts';
import type { LeafIssuer, LeafOrder } from './leaf-template.ts';
import { isP256Spki } from './p256.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';

/** What a leaf must be before it may be signed. `holds` sees the bytes as read back, never what the template meant to write. */
interface LeafRule {
  /** Where it is written; `§` alone means RFC 5280. */
  readonly clause: string;
  readonly says: string;
  readonly holds: (leaf: CertificateFields, order: LeafOrder, issuer: LeafIssuer) => boolean;
}

const same = (left: Uint8Array, right: Uint8Array): boolean => compareBytes(left, right) === 0;

const extension = (leaf: CertificateFields, oid: string): CertificateExtension | undefined =>
  leaf.extensions.find((one) => one.oid === oid);

const id = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

const allowed: ReadonlySet<string> = new Set(Object.values(id));

/** The bytes inside the only element of a SEQUENCE, if it has that tag. */
const onlyMember = (value: Uint8Array, tag: number): Uint8Array | undefined => {
  const outcome = parseDer(value);
  const list = outcome.ok && outcome.value.tag === derTag.sequence ? outcome.value.children : [];
  const [only, ...others] = list;
  return only?.tag === tag && others.length === 0 ? only.content : undefined;
};

const digitalSignature = Uint8Array.fromHex('03020780');
const notCa = Uint8Array.fromHex('3000');
const serverAndClient = Uint8Array.fromHex('301406082b0601050507030106082b06010505070302');

export const leafRules: readonly LeafRule[] = [
  {
    clause: '§4.1.2.1',
    says: 'it is v3, since it has extensions',
    holds: (leaf) => leaf.version === 2,
  },
  {
    clause: '§4.1.2.2',
    says: 'its serial is the one drawn for it: positive, of 8 to 20 bytes',
    holds: (leaf, order) =>
      same(leaf.serial, order.serial) &&
      leaf.serial.length >= 8 &&
      leaf.serial.length <= 20 &&
      (leaf.serial[0] ?? 0x80) < 0x80 &&
      leaf.serial.some((byte) => byte !== 0),
  },
  {
    clause: '§4.1.2.3',
    says: 'it names the algorithm that the issuer signs with',
    holds: (leaf, _, issuer) => same(leaf.algorithm, issuer.algorithm.identifier),
  },
  {
    clause: '§4.1.2.4',
    says: "its issuer is the issuer's subject, byte for byte and not empty",
    holds: (leaf, _, issuer) => same(leaf.issuer, issuer.name) && leaf.issuer.length > 2,
  },
  {
    clause: '§4.1.2.5',
    says: 'it is valid for the time ordered, which is not empty',
    holds: (leaf, { validity }) =>
      leaf.notBefore === validity.notBefore &&
      leaf.notAfter === validity.notAfter &&
      leaf.notBefore < leaf.notAfter,
  },
  {
    clause: 'design §4.5',
    says: 'the issuer chain is valid for as long as it is',
    holds: (leaf, _, issuer) => issuer.chainBegins <= leaf.notBefore && leaf.notAfter <= issuer.chainEnds,
  },
  {
    clause: '§4.1.2.6',
    says: 'its subject is empty',
    holds: (leaf) => leaf.subject.length === 2,
  },
  {
    clause: '§4.1.2.7, RFC 5480 §2',
    says: 'its key is the one of the request, byte for byte, and a point of P-256',
    holds: (leaf, order) => same(leaf.spki, order.spki) && isP256Spki(leaf.spki),
  },
  {
    clause: '§4.1.2.8',
    says: 'it has no unique identifiers',
    holds: (leaf) => !leaf.hasUniqueIds,
  },
  {
    clause: '§4.2',
    says: 'it has each of its six extensions once, and no other',
    holds: (leaf) =>
      leaf.extensions.length === allowed.size &&
      new Set(leaf.extensions.map(({ oid }) => oid)).size === allowed.size &&
      leaf.extensions.every(({ oid }) => allowed.has(oid)),
  },
  {
    clause: '§4.2.1.1',
    says: "it points to the issuer's key, not critically",
    holds: (leaf, _, issuer) => {
      const found = extension(leaf, id.authorityKeyIdentifier);
      const keyId = found && onlyMember(found.value, contextTag(0, 'primitive'));
      return found?.critical === false && keyId !== undefined && same(keyId, issuer.keyId);
    },
  },
  {
    clause: '§4.2.1.2',
    says: 'it names its own key, not critically',
    holds: (leaf, order) => {
      const found = extension(leaf, id.subjectKeyIdentifier);
      return found?.critical === false && same(found.value, derOctetString(order.keyId));
    },
  },
  {
    clause: '§4.2.1.3',
    says: 'its key signs and does nothing else, critically',
    holds: (leaf) => {
      const found = extension(leaf, id.keyUsage);
      return found?.critical === true && same(found.value, digitalSignature);
    },
  },
  {
    clause: '§4.2.1.6',
    says: 'its only name is the identity ordered, a DNS name, critical since the subject is empty',
    holds: (leaf, order) => {
      const found = extension(leaf, id.subjectAltName);
      const name = found && onlyMember(found.value, contextTag(2, 'primitive'));
      return (
        found?.critical === true &&
        name !== undefined &&
        isDnsName(printIdentity(order.identity)) &&
        same(name, new TextEncoder().encode(printIdentity(order.identity)))
      );
    },
  },
  {
    clause: '§4.2.1.9',
    says: 'it is not a CA',
    holds: (leaf) => {
      const found = extension(leaf, id.basicConstraints);
      return found !== undefined && same(found.value, notCa);
    },
  },
  {
    clause: '§4.2.1.12',
    says: 'it is for servers and clients, and nothing else',
    holds: (leaf) => {
      const found = extension(leaf, id.extendedKeyUsage);
      return found !== undefined && same(found.value, serverAndClient);
    },
  },
];

/**
 * A TBSCertificate that keeps every rule. `check` is the only way to one, and the signer takes nothing else: that a
 * leaf was checked is part of its type.
 */
export class CheckedLeaf {
  readonly #tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;

  private constructor(tbs: Uint8Array, algorithm: SignatureAlgorithm) {
    this.#tbs = tbs;
    this.algorithm = algorithm;
  }

  /** The bytes to sign. */
  get tbs(): Uint8Array {
    return this.#tbs;
  }

  /** Reads the bytes back and holds them against the order and the issuer; answers every rule that is broken. */
  static check(tbs: Uint8Array, order: LeafOrder, issuer: LeafIssuer): Parsed<CheckedLeaf> {
    const read = readTbsCertificate(tbs);
    if (!read.ok) return read;
    const problems = leafRules
      .filter((rule) => !rule.holds(read.value, order, issuer))
      .map(
        ({ clause, says }): Problem => ({
          field: 'leaf',
          found: 'a rule is broken',
          fix: `${says} (${clause})`,
        }),
      );
    return problems.length === 0 ? parsed(new CheckedLeaf(tbs, issuer.algorithm)) : { ok: false, problems };
  }
}
