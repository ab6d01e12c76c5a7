import { parseServiceAccountUser, type ServiceAccountName } from '@gatehouse/core/mesh/service-account-user';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import type { Named } from './token-claims.ts';

/** A user as the API server names it; see shared's token-review. */
export interface ReviewedUser {
  readonly name: string;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Whose token it was, in the words of certificates. */
export interface ReviewedCaller extends ServiceAccountName {
  readonly pod: Named | undefined;
}

/** Reads the ServiceAccount and the pod out of what the API server says of a user. */
export const readReviewedCaller = ({ name, extra }: ReviewedUser): Parsed<ReviewedCaller> => {
  const account = parseServiceAccountUser(name);
  return account === undefined
    ? problem('token', 'it does not belong to a ServiceAccount', 'use a projected ServiceAccount token')
    : parsed({ ...account, pod: readPod(extra) });
};

/** A token bound to a pod has name and uid, each once; with half of it nobody can be told apart. */
const readPod = (extra: ReviewedUser['extra']): Named | undefined => {
  const one = (key: string): string | undefined => {
    const [value, ...more] = extra[`authentication.kubernetes.io/${key}`] ?? [];
    return more.length > 0 || value === '' ? undefined : value;
  };
  const name = one('pod-name');
  const uid = one('pod-uid');
  return name === undefined || uid === undefined ? undefined : { name, uid };
};
