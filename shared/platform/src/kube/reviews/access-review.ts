import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient } from '../client/client.ts';
import { isWireObject } from '../parse/fields.ts';
import { readJson, readStatus } from '../watch/wire-answers.ts';
import type { AuthenticatedUser } from './token-review.ts';

/** What a caller wants to do: with a path of ours, or with a resource in a namespace. */
export type Access =
  | { readonly kind: 'path'; readonly verb: string; readonly path: string }
  | {
      readonly kind: 'resource';
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      /** Empty = in all namespaces. */
      readonly namespace: string;
    };

export interface AccessQuestion {
  readonly user: Pick<AuthenticatedUser, 'name' | 'uid' | 'groups' | 'extra'>;
  readonly access: Access;
  readonly signal: AbortSignal;
}

export type AccessVerdict =
  | { readonly kind: 'allowed' }
  /** `why` is what the authorizer says, often nothing; it may name roles, so it is for the log. */
  | { readonly kind: 'refused'; readonly why: string };

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/**
 * Asks the API server once whether a caller may do something (SubjectAccessReview). Throws `unavailable` when it cannot
 * say: it is away, does not let us ask, or its answer makes no sense.
 */
export const reviewAccess = async (
  client: Pick<KubeClient, 'request'>,
  { user, access, signal }: AccessQuestion,
): Promise<AccessVerdict> => {
  const { name, uid, groups, extra } = user;
  const spec = { user: name, uid, groups, extra, ...attributesOf(access) };
  const { status, body } = await client.request({
    method: 'POST',
    path,
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec },
    changesNothing: true,
    signal,
  });
  if (status === 200 || status === 201) return readVerdict(body, name);
  const said = readStatus(readJson(body)).message;
  throw new GatehouseError(
    'unavailable',
    status === 403
      ? 'the API server does not let us ask who may do what: grant create on subjectaccessreviews of authorization.k8s.io'
      : `the API server does not say who may do what at the moment (${status})`,
    { details: { status, said } },
  );
};

const attributesOf = (access: Access) => {
  switch (access.kind) {
    case 'path': {
      const { verb, path } = access;
      return { nonResourceAttributes: { verb, path } };
    }
    case 'resource': {
      const { kind: _, ...resourceAttributes } = access;
      return { resourceAttributes };
    }
  }
};

const readVerdict = (body: Uint8Array, user: string): AccessVerdict => {
  const review = readJson(body);
  if (review?.kind !== 'SubjectAccessReview' || !isWireObject(review.status))
    throw garbled('it is not a SubjectAccessReview');
  // Answers repeat what was asked; one about another user was mixed up on the way.
  if (isWireObject(review.spec) && (review.spec.user ?? user) !== user)
    throw garbled('it is about another user');
  const { allowed, denied = false, reason = '' } = review.status;
  if (typeof allowed !== 'boolean' || typeof denied !== 'boolean' || typeof reason !== 'string')
    throw garbled('its status has no form');
  return allowed && !denied ? { kind: 'allowed' } : { kind: 'refused', why: reason };
};

const garbled = (what: string): GatehouseError =>
  new GatehouseError('unavailable', `the API server's answer about a permission makes no sense: ${what}`);
