import type { Authentication } from '@gatehouse/core/inbound/inbound-server';
import { type SuffixParts, suffixParts } from '@gatehouse/core/mesh/identity-match';
import { type Identity, identityOf, identitySuffix, type Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { MeshTlsAuthenticationSpec } from '@gatehouse/core/resources/kinds/linkerd';

/** Whom a list of identities and of ServiceAccounts and Namespaces admits. */
export const clientsOf = (spec: MeshTlsAuthenticationSpec, mesh: Mesh): Authentication => {
  const identities: Identity[] = [];
  const suffixes: SuffixParts[] = [];
  for (const match of spec.identities) {
    if (match.kind === 'exact') identities.push(match.identity);
    else suffixes.push(match.parts);
  }
  for (const ref of spec.identityRefs) {
    switch (ref.kind) {
      case 'ServiceAccount':
        identities.push(identityOf(mesh, ref.namespace, ref.name));
        break;
      case 'Namespace':
        suffixes.push(suffixParts(identitySuffix(mesh, ref.name)));
        break;
    }
  }
  return { kind: 'identities', identities, suffixes };
};
