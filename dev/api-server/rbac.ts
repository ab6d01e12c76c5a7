import { printServiceAccountUser } from '@gatehouse/core/mesh/service-account-user';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { AccessAttributes, Authorize } from './access-control.ts';
import { fieldsOf, listOf, metaOf, textOf } from './object-meta.ts';
import type { User } from './server-state.ts';

/**
 * Allows what these Roles, ClusterRoles and their bindings allow, as `--authorization-mode=RBAC` does; other objects mean
 * nothing here. Nobody fills aggregated roles: that is a controller's work. Read again for every question.
 */
export const rbac =
  (objects: () => readonly WireObject[]): Authorize =>
  (attributes) => {
    const all = [...bootstrap, ...objects()];
    if (attributes.user.groups.includes('system:masters')) return true;
    const namespace = attributes.resource?.namespace ?? '';
    return all.some((binding) => {
      const isWide = binding.kind === 'ClusterRoleBinding';
      if (!isWide && (binding.kind !== 'RoleBinding' || namespace === '')) return false;
      if (!isWide && metaOf(binding).namespace !== namespace) return false;
      if (!listOf(binding.subjects).some((subject) => isSubject(fieldsOf(subject), attributes.user)))
        return false;
      return rulesOf(all, binding).some((rule) => (isWide || !isPathRule(rule)) && fits(rule, attributes));
    });
  };

/** Of the policy that every API server makes for itself, what a control plane relies on. */
const bootstrap: readonly WireObject[] = [
  {
    kind: 'ClusterRole',
    metadata: { name: 'system:basic-user' },
    rules: [
      { apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews'], verbs: ['create'] },
    ],
  },
  {
    kind: 'ClusterRoleBinding',
    metadata: { name: 'system:basic-user' },
    roleRef: { kind: 'ClusterRole', name: 'system:basic-user' },
    subjects: [{ kind: 'Group', name: 'system:authenticated' }],
  },
];

const isSubject = ({ kind, name, namespace }: WireObject, user: User): boolean => {
  switch (kind) {
    case 'User':
      return name === user.username;
    case 'Group':
      return user.groups.includes(textOf(name));
    case 'ServiceAccount':
      return (
        user.username ===
        printServiceAccountUser({ namespace: textOf(namespace), serviceAccount: textOf(name) })
      );
    default:
      return false;
  }
};

const rulesOf = (all: readonly WireObject[], binding: WireObject): readonly WireObject[] => {
  const { kind, name } = fieldsOf(binding.roleRef);
  const role = all.find(
    (one) =>
      one.kind === kind &&
      metaOf(one).name === name &&
      (kind === 'ClusterRole' || metaOf(one).namespace === metaOf(binding).namespace),
  );
  return listOf(role?.rules).map(fieldsOf);
};

/** Paths are of no namespace, so a RoleBinding gives none of them. */
const isPathRule = ({ nonResourceURLs }: WireObject): boolean => listOf(nonResourceURLs).length > 0;

const fits = (rule: WireObject, { verb, path, resource }: AccessAttributes): boolean => {
  const has = (field: string, value: string): boolean => {
    const texts = listOf(rule[field]);
    return texts.includes('*') || texts.includes(value);
  };
  if (!has('verbs', verb)) return false;
  if (resource === undefined) {
    return listOf(rule.nonResourceURLs)
      .map(textOf)
      .some((pattern) => fitsPath(pattern, path ?? ''));
  }
  const { group, subresource, name } = resource;
  const full = subresource === '' ? resource.resource : `${resource.resource}/${subresource}`;
  const names = listOf(rule.resourceNames);
  return has('apiGroups', group) && has('resources', full) && (names.length === 0 || names.includes(name));
};

/** A star means something only at the end. */
const fitsPath = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
