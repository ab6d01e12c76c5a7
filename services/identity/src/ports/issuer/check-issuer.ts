import { identityOf, identitySuffix, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { type Parsed, type Problem, parsed } from '@gatehouse/core/problem';
import { accountOf, serviceNames } from '@gatehouse/platform/service/service';
import { readPemBundle } from '@gatehouse/platform/tls/pem-bundle';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import { type JudgedIssuer, judgeIssuer, type WantedNames } from '../../core/issuer/judge-issuer.ts';
import { type IssuerFiles, readIssuerFiles } from './issuer-files.ts';
import { readCaCertificate } from './read-ca-certificate.ts';
import { isSignedBy } from './x509.ts';

/** The names that an issuer of this mesh must be allowed to certify. */
export const wantedNames = (mesh: Mesh): WantedNames => ({
  suffix: identitySuffix(mesh),
  own: serviceNames.map((service) =>
    printIdentity(identityOf(mesh, mesh.controlPlaneNamespace, accountOf(service))),
  ),
});

export interface CheckedIssuer {
  readonly judged: JudgedIssuer;
  /** The trust anchors as PEM, and nothing else. */
  readonly bundle: string;
}

export interface CheckOptions {
  readonly mesh: Mesh;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What identity would say of these files at its start, before they are given to it. */
export const checkIssuer = async (
  files: IssuerFiles,
  { mesh, now }: CheckOptions,
): Promise<Parsed<CheckedIssuer>> => {
  const offered = await readIssuerFiles(files);
  if (!offered.ok) return offered;
  const { candidate, anchors, bundle } = offered.value;
  const judged = judgeIssuer(candidate, {
    anchors,
    now: Math.floor(now / 1000),
    names: wantedNames(mesh),
    isSignedBy,
  });
  return judged.ok ? parsed({ judged: judged.value, bundle }) : judged;
};

/**
 * Whether an issuer that is in use, of which only the certificates are known, would be accepted with another bundle of trust anchors
 * (both PEM): the issuer first, what its chain needs behind it.
 */
export const checkBundle = (
  { issuer, anchors }: { readonly issuer: string; readonly anchors: string },
  { mesh, now }: CheckOptions,
): Parsed<JudgedIssuer> => {
  const chain = readCertificates(issuer);
  const roots = readCertificates(anchors);
  if (!chain.ok || !roots.ok) {
    return { ok: false, problems: [chain, roots].flatMap((one) => (one.ok ? [] : one.problems)) };
  }
  const [certificate, ...others] = chain.value;
  if (certificate === undefined) throw new TypeError('a bundle that was read holds a certificate');
  return judgeIssuer(
    { certificate, others, keyMatches: true },
    { anchors: roots.value, now: Math.floor(now / 1000), names: wantedNames(mesh), isSignedBy },
  );
};

const readCertificates = (pem: string): Parsed<readonly CaCertificate[]> => {
  const bundle = readPemBundle(pem);
  if (!bundle.ok) return bundle;
  const read = bundle.value.certificates.map(readCaCertificate);
  const problems = read.flatMap((one): readonly Problem[] => (one.ok ? [] : one.problems));
  return problems.length > 0
    ? { ok: false, problems }
    : parsed(read.flatMap((one) => (one.ok ? [one.value] : [])));
};
