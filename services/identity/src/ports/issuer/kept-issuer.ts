import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { ActiveIssuer } from '../../certify/certify.ts';
import { bundleSequence } from '../../core/issuer/bundle-sequence.ts';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import type { JudgedIssuer } from '../../core/issuer/judge-issuer.ts';
import { permitName } from '../../core/issuer/name-constraints.ts';
import { makeLeafTemplate } from '../../core/leaf/leaf-template.ts';
import { signatureAlgorithmOf } from '../../core/leaf/signature-algorithm.ts';
import type { OfferedIssuer } from './issuer-files.ts';
import { signLeaf } from './x509.ts';

/** An issuer that was accepted, with the bundle it was judged by. */
export interface KeptIssuer extends ActiveIssuer {
  readonly judged: JudgedIssuer;
  /** Everything that this mesh trusts. */
  readonly anchors: readonly CaCertificate[];
  /** The same as PEM, in the form that every TLS library reads. */
  readonly bundle: string;
  /** Rises when the bundle changes: `spiffe_sequence`. */
  readonly sequence: number;
}

/** Makes what was offered ready to sign; `before` is what was kept until now. */
export const keepIssuer = (
  judged: JudgedIssuer,
  { signingKey, anchors, bundle, bundleWrittenAt }: OfferedIssuer,
  before: KeptIssuer | undefined,
): KeptIssuer => {
  const { certificate, intermediates, chainBegins, chainEnds } = judged;
  const { key, subject, keyId, spki } = certificate;
  if (typeof key !== 'string') throw new TypeError('judgeIssuer lets no other key pass');
  const algorithm = signatureAlgorithmOf(key);
  return {
    judged,
    anchors,
    bundle,
    sequence: bundleSequence({ bundle, writtenAt: bundleWrittenAt }, before),
    template: makeLeafTemplate({ name: subject, keyId, algorithm, chainBegins, chainEnds }),
    intermediates: intermediates.map(({ der }) => der),
    permits: (identity) => permitName(judged.constraints, printIdentity(identity)),
    sign: (leaf) => signLeaf(leaf, { key: signingKey, spki }),
  };
};

/** Changes with anything that clients are given. The key needs no part: it belongs to the certificate. */
export const isSameIssuer = (left: KeptIssuer, right: KeptIssuer): boolean =>
  left.bundle === right.bundle &&
  left.judged.certificate.fingerprint === right.judged.certificate.fingerprint &&
  chainOf(left) === chainOf(right);

const chainOf = ({ judged }: KeptIssuer): string =>
  judged.intermediates.map(({ fingerprint }) => fingerprint).join();
