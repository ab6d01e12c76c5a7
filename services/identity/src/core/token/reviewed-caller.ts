import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import type { Named } from './token-claims.ts';

/** A user as the API server names it; see shared's token-review. */
export interface ReviewedUser {
  readonly name: string;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Whose token it was, in the words of certificates. */
export interface ReviewedCaller {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly pod: Named | undefined;
}

/** The names of both are DNS names (Kubernetes' own rule): neither holds a colon, so that no third part can hide in one. */
const form = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** Reads the ServiceAccount and the pod out of what the API server says of a user. */
export const readReviewedCaller = ({ name, extra }: ReviewedUser): Parsed<ReviewedCaller> => {
  const [, namespace, serviceAccount] = form.exec(name) ?? [];
  if (namespace === undefined || serviceAccount === undefined) {
    return problem('token', 'it is no ServiceAccount', 'use a projected ServiceAccount token');
  }
  return parsed({ namespace, serviceAccount, pod: readPod(extra) });
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
