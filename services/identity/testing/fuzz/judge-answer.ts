import { createHash, X509Certificate } from 'node:crypto';
import { GatehouseError } from '@gatehouse/core/error';
import type { Certified, CertifyRequest } from '../../src/certify/certify.ts';
import type { Entitlement } from './certify-oracle.ts';
import type { Recorded } from './fuzzed-mesh.ts';

/** How a call of Certify ended. */
export type Answer =
  | { readonly kind: 'certified'; readonly certified: Certified }
  | { readonly kind: 'refused'; readonly error: unknown };

export const answerOf = async (
  certify: (request: CertifyRequest) => Promise<Certified>,
  request: CertifyRequest,
): Promise<Answer> => {
  try {
    return { kind: 'certified', certified: await certify(request) };
  } catch (error) {
    return { kind: 'refused', error };
  }
};

/** The word for an answer in a table of expectations. */
export const wordOf = (answer: Answer): string => {
  if (answer.kind === 'certified') return 'certified';
  return answer.error instanceof GatehouseError ? answer.error.code : `thrown ${String(answer.error)}`;
};

export interface Verdict {
  readonly answer: Answer;
  readonly entitlement: Entitlement | undefined;
  /** What the issuance log was given during the call. */
  readonly recorded: readonly Recorded[];
  readonly issuer: X509Certificate;
}

/** What is wrong with an answer; undefined when it is just what was owed. */
export const judgeAnswer = ({ answer, entitlement, recorded, issuer }: Verdict): string | undefined => {
  if (answer.kind === 'refused') {
    const { error } = answer;
    if (!(error instanceof GatehouseError))
      return `something that is not a GatehouseError was thrown: ${String(error)}`;
    // Nothing is overloaded or missing here, so these two are all that a request can deserve.
    if (error.code !== 'invalid-argument' && error.code !== 'failed-precondition') {
      return `it was refused with ${error.code}: ${error.message}`;
    }
    if (recorded.length > 0) return 'it was refused and recorded as issued';
    return entitlement === undefined ? undefined : `a good request was refused: ${error.message}`;
  }
  if (entitlement === undefined) return 'a certificate was issued that nobody was entitled to';
  return (
    flawOfLeaf(answer.certified.leaf, entitlement, issuer) ?? flawOfRecord(answer.certified.leaf, recorded)
  );
};

/** Node reads what our own DER wrote. */
const flawOfLeaf = (
  der: Uint8Array,
  { identity, spki }: Entitlement,
  issuer: X509Certificate,
): string | undefined => {
  const leaf = new X509Certificate(der);
  if (leaf.subjectAltName !== `DNS:${identity}`) return `the leaf is for ${leaf.subjectAltName}`;
  if (leaf.subject !== undefined) return `the leaf has the subject ${leaf.subject}`;
  if (!leaf.publicKey.export({ type: 'spki', format: 'der' }).equals(spki))
    return 'the leaf is for another key';
  if (leaf.ca) return 'the leaf is a CA';
  return leaf.verify(issuer.publicKey) ? undefined : 'the leaf is not signed by its issuer';
};

/** Both records of this leaf, in the order in which they must come, and none of another. */
const flawOfRecord = (leaf: Uint8Array, recorded: readonly Recorded[]): string | undefined => {
  const [intended, completed, ...others] = recorded;
  if (intended?.kind !== 'intended' || completed?.kind !== 'completed' || others.length > 0) {
    return `it was recorded as ${recorded.map(({ kind }) => kind).join() || 'nothing'}`;
  }
  const serial = new X509Certificate(leaf).serialNumber.toLowerCase();
  return intended.serial === serial &&
    completed.serial === serial &&
    completed.leafSha256 === createHash('sha256').update(leaf).digest('hex')
    ? undefined
    : 'another leaf was recorded';
};
