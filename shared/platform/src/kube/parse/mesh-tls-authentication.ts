import type { MeshTlsAuthenticationSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { spend } from './budget.ts';
import type { Fields } from './fields.ts';
import { readIdentities } from './identity-match.ts';
import { isRefTo, printRefKind, readRef } from './object-ref.ts';
import { closesNothing, policyParser } from './read.ts';

type IdentityRef = MeshTlsAuthenticationSpec['identityRefs'][number];

const readIdentityRef = (fields: Fields, ownNamespace: string): IdentityRef | undefined => {
  if (!spend(fields, 'identities')) return undefined;
  const ref = readRef(fields, { namespaced: true });
  if (ref === undefined) return undefined;
  if (isRefTo(ref, '', 'ServiceAccount')) {
    return { kind: 'ServiceAccount', namespace: ref.namespace ?? ownNamespace, name: ref.name };
  }
  if (!isRefTo(ref, '', 'Namespace')) {
    return fields.refuseSelf(
      `${printRefKind(ref)} has no identity`,
      'ServiceAccount or Namespace of the core group',
    );
  }
  return ref.namespace === undefined
    ? { kind: 'Namespace', name: ref.name }
    : fields.refuse('namespace', 'a Namespace is in no namespace', 'remove the field');
};

const readSpec = (spec: Fields, namespace: string): MeshTlsAuthenticationSpec => {
  const identities = readIdentities(spec, 'identities');
  const identityRefs = spec.eachFields('identityRefs', (ref) => readIdentityRef(ref, namespace));
  for (const name of ['identities', 'identityRefs']) {
    if (spec.isEmptyList(name))
      spec.refuse(name, 'an empty list', 'name at least one, or `*` for any identity');
  }
  if (spec.has('identities') === spec.has('identityRefs')) {
    const found = spec.has('identities')
      ? 'both identities and identityRefs'
      : 'neither identities nor identityRefs';
    spec.refuseSelf(found, 'write one of the two');
  }
  spec.close();
  return { identities: identities ?? [], identityRefs: identityRefs ?? [] };
};

export const meshTlsAuthenticationParser = policyParser<MeshTlsAuthenticationSpec>({
  read: (spec, { meta }) => readSpec(spec, meta.namespace),
  closes: () => closesNothing,
});
