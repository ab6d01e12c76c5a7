/** A ServiceAccount as tokens and certificates name it. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly serviceAccount: string;
}

const prefix = 'system:serviceaccount:';

/** The user that Kubernetes takes a ServiceAccount for: the subject of its tokens. */
export const printServiceAccountUser = ({ namespace, serviceAccount }: ServiceAccountName): string =>
  `${prefix}${namespace}:${serviceAccount}`;

/**
 * The ServiceAccount that a user is; undefined for people and nodes. The names of both are DNS names (Kubernetes' own
 * rule): neither holds a colon, so that no third part can hide in one.
 */
export const parseServiceAccountUser = (user: string): ServiceAccountName | undefined => {
  if (!user.startsWith(prefix)) return undefined;
  const [namespace = '', serviceAccount = '', ...more] = user.slice(prefix.length).split(':');
  return namespace === '' || serviceAccount === '' || more.length > 0
    ? undefined
    : { namespace, serviceAccount };
};
