import type { AuthorizationPolicySpec } from '@gatehouse/core/resources/kinds/linkerd';
import type { Fields } from './fields.ts';
import { isRefTo, type ObjectRef, printRefKind, readRef } from './object-ref.ts';
import { closesNothing, policyParser } from './read.ts';

type Target = AuthorizationPolicySpec['target'];
type AuthenticationRef = AuthorizationPolicySpec['authentications'][number];

const linkerd = 'policy.linkerd.io';
const gateway = 'gateway.networking.k8s.io';

const targetOf = (ref: ObjectRef): Target | undefined => {
  if (isRefTo(ref, linkerd, 'Server')) return { kind: 'Server', name: ref.name };
  if (isRefTo(ref, linkerd, 'HTTPRoute')) return { kind: 'HTTPRoute', name: ref.name };
  if (isRefTo(ref, gateway, 'HTTPRoute')) return { kind: 'GatewayHTTPRoute', name: ref.name };
  if (isRefTo(ref, gateway, 'GRPCRoute')) return { kind: 'GRPCRoute', name: ref.name };
  if (isRefTo(ref, '', 'Namespace')) return { kind: 'Namespace' };
  return undefined;
};

const readTarget = (spec: Fields, ownNamespace: string): Target | undefined => {
  const fields = spec.need('targetRef', 'name what it authorizes: { group, kind, name }')
    ? spec.fields('targetRef')
    : undefined;
  const ref = fields === undefined ? undefined : readRef(fields, { namespaced: false });
  const target = ref === undefined ? undefined : targetOf(ref);
  if (ref !== undefined && target === undefined) {
    return spec.refuse(
      'targetRef',
      `${printRefKind(ref)} cannot be a target`,
      `Server or HTTPRoute of ${linkerd}, HTTPRoute or GRPCRoute of ${gateway}, or Namespace of the core group`,
    );
  }
  if (target?.kind === 'Namespace' && ref?.name !== ownNamespace) {
    return spec.refuse(
      'targetRef.name',
      `\`${ref?.name}\` is another namespace`,
      `use its own, \`${ownNamespace}\``,
    );
  }
  return target;
};

const kindOf = (ref: ObjectRef): AuthenticationRef['kind'] | undefined => {
  if (isRefTo(ref, linkerd, 'MeshTLSAuthentication')) return 'MeshTLSAuthentication';
  if (isRefTo(ref, linkerd, 'NetworkAuthentication')) return 'NetworkAuthentication';
  if (isRefTo(ref, '', 'ServiceAccount')) return 'ServiceAccount';
  return undefined;
};

const readAuthentication = (fields: Fields, ownNamespace: string): AuthenticationRef | undefined => {
  const ref = readRef(fields, { namespaced: true });
  if (ref === undefined) return undefined;
  const kind = kindOf(ref);
  return kind === undefined
    ? fields.refuseSelf(
        `${printRefKind(ref)} is not a valid authentication`,
        `MeshTLSAuthentication or NetworkAuthentication with group ${linkerd}, or ServiceAccount of the core group`,
      )
    : { kind, namespace: ref.namespace ?? ownNamespace, name: ref.name };
};

const refuseRepeats = (spec: Fields, refs: readonly AuthenticationRef[]): void => {
  const field = 'requiredAuthenticationRefs';
  const count = (kind: AuthenticationRef['kind']): number => refs.filter((ref) => ref.kind === kind).length;
  for (const kind of ['MeshTLSAuthentication', 'NetworkAuthentication', 'ServiceAccount'] as const) {
    if (count(kind) > 1) spec.refuse(field, `more than one ${kind}`, 'keep one, or write several policies');
  }
  if (count('MeshTLSAuthentication') > 0 && count('ServiceAccount') > 0) {
    spec.refuse(field, 'a MeshTLSAuthentication and a ServiceAccount', 'keep one of the two');
  }
};

const readSpec = (spec: Fields, namespace: string): AuthorizationPolicySpec | undefined => {
  const target = readTarget(spec, namespace);
  spec.need('requiredAuthenticationRefs', 'name the authentications; [] admits everybody');
  const authentications = spec.eachFields('requiredAuthenticationRefs', (ref) =>
    readAuthentication(ref, namespace),
  );
  refuseRepeats(spec, authentications ?? []);
  spec.close();
  return target === undefined || authentications === undefined ? undefined : { target, authentications };
};

export const authorizationPolicyParser = policyParser<AuthorizationPolicySpec>({
  read: (spec, { meta }) => readSpec(spec, meta.namespace),
  closes: () => closesNothing,
});
