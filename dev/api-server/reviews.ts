import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { AccessAttributes, AccessRules } from './access-control.ts';
import { badRequest } from './api-status.ts';
import { fieldsOf, listOf, textOf } from './object-meta.ts';
import type { RequestInfo } from './request-info.ts';
import type { ServerState, User } from './server-state.ts';
import { authenticateToken, tokenIssuer } from './service-account-tokens.ts';

/** The kinds that are asked by POST and kept nowhere. */
export const reviewKinds = [
  { group: 'authentication.k8s.io', kind: 'TokenReview', plural: 'tokenreviews' },
  { group: 'authorization.k8s.io', kind: 'SubjectAccessReview', plural: 'subjectaccessreviews' },
  { group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews' },
] as const;

export interface Reviewing {
  readonly user: User;
  readonly body: WireObject;
  readonly rules: AccessRules;
}

/** Returns a review; undefined when the path names none. */
export const answerReview = async (
  state: ServerState,
  info: RequestInfo,
  reviewing: () => Reviewing,
): Promise<WireObject | undefined> => {
  const row = reviewKinds.find(({ group, plural }) => group === info.group && plural === info.resource);
  if (row === undefined || info.version !== 'v1' || info.verb !== 'create') return undefined;
  const { body, user, rules } = reviewing();
  if (body.kind !== undefined && body.kind !== row.kind)
    throw badRequest(`${body.kind} cannot be handled as a ${row.kind}`);
  const spec = fieldsOf(body.spec);
  const said = { kind: row.kind, apiVersion: `${row.group}/v1`, metadata: { creationTimestamp: null }, spec };
  switch (row.kind) {
    case 'TokenReview':
      return { ...said, status: await reviewToken(state, spec, rules) };
    case 'SubjectAccessReview':
      return { ...said, status: { allowed: rules.authorize(attributesOf(spec, userOf(spec))) } };
    case 'SelfSubjectAccessReview':
      return { ...said, status: { allowed: rules.authorize(attributesOf(spec, user)) } };
  }
};

const reviewToken = async (
  state: ServerState,
  spec: WireObject,
  { keys, tokens }: AccessRules,
): Promise<WireObject> => {
  const audiences = listOf(spec.audiences).length === 0 ? [tokenIssuer] : listOf(spec.audiences).map(textOf);
  // Static tokens are for the API server alone: they know no other audience.
  const known = audiences.includes(tokenIssuer) ? tokens?.get(textOf(spec.token)) : undefined;
  if (known !== undefined) return { authenticated: true, user: known, audiences: [tokenIssuer] };
  const read = await authenticateToken(state, textOf(spec.token), { keys, audiences });
  return typeof read === 'string'
    ? { user: {}, error: `[${read}]` }
    : { authenticated: true, user: read.user, audiences: read.audiences };
};

const userOf = (spec: WireObject): User => ({
  username: textOf(spec.user),
  uid: textOf(spec.uid),
  groups: listOf(spec.groups).map(textOf),
  extra: Object.fromEntries(
    Object.entries(fieldsOf(spec.extra)).map(([key, values]) => [key, listOf(values).map(textOf)]),
  ),
});

const attributesOf = (spec: WireObject, user: User): AccessAttributes => {
  const { nonResourceAttributes, resourceAttributes } = spec;
  if ((nonResourceAttributes === undefined) === (resourceAttributes === undefined))
    throw badRequest('exactly one of resourceAttributes and nonResourceAttributes must be specified');
  const path = fieldsOf(nonResourceAttributes);
  if (nonResourceAttributes !== undefined) return { user, verb: textOf(path.verb), path: textOf(path.path) };
  const { verb, group, resource, subresource, namespace, name } = fieldsOf(resourceAttributes);
  return {
    user,
    verb: textOf(verb),
    resource: {
      group: textOf(group),
      resource: textOf(resource),
      subresource: textOf(subresource),
      namespace: textOf(namespace),
      name: textOf(name),
    },
  };
};
