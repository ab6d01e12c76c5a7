import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Values } from '../values/value-fields.ts';
import type { KubeObject } from './kube-object.ts';

/** The namespace that deploy/rbac is written for. */
const writtenFor = 'gatehouse';

/** ServiceAccounts, roles and bindings of deploy/rbac, for the namespace that the values name. */
export const rbac = (
  shipped: readonly KubeObject[],
  { namespace, identity, injector }: Values,
): readonly KubeObject[] =>
  shipped
    .filter(({ metadata: { name } }) => identity.tokenReviewer === 'jwks' || name !== jwksRole)
    .filter(({ metadata: { name } }) => injector.enabled || name !== webhookRole)
    .map((object) => moved(object, namespace) as KubeObject);

/** The role, and its binding, of what identity needs only where it verifies tokens by the API server's keys. */
const jwksRole = 'gatehouse-identity-jwks';

/** The roles, and their bindings, of what policy needs only where it serves webhooks. */
const webhookRole = 'gatehouse-policy-webhook';

/** Every field called `namespace`: of the object itself, and of a binding's subjects. */
const moved = (value: unknown, namespace: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => moved(item, namespace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as WireObject).map(([name, inner]) => [
      name,
      name === 'namespace' && inner === writtenFor ? namespace : moved(inner, namespace),
    ]),
  );
};
