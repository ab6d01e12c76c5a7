import { identityOf, identitySuffix, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { type Parsed, parsed } from '@gatehouse/core/problem';
import { accountOf, serviceNames } from '@gatehouse/platform/service/service';
import { type JudgedIssuer, judgeIssuer, type WantedNames } from '../../core/issuer/judge-issuer.ts';
import { type IssuerFiles, readIssuerFiles } from './issuer-files.ts';
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

/** What identity would say of these files at its start, for whoever is about to give them to it. `now`: epoch milliseconds. */
export const checkIssuer = async (
  files: IssuerFiles,
  { mesh, now }: { readonly mesh: Mesh; readonly now: number },
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
