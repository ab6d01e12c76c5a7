import type { Kind } from '@gatehouse/core/resources/kinds';
import type { KubeClient } from '../client/client.ts';
import { rowOf } from '../kind-table.ts';
import { isWireObject } from '../parse/fields.ts';
import { readJson } from './wire-answers.ts';

const verbs = ['list', 'watch'] as const;

/**
 * Asks the API server what we may not do of what we need, in the whole cluster. One sentence that names all of it, or
 * undefined when nothing is missing. Throws `unavailable` when the API server cannot be asked.
 */
export const missingPermissions = async (
  client: KubeClient,
  kinds: readonly Kind[],
  signal: AbortSignal,
): Promise<string | undefined> => {
  const missing = await Promise.all(
    kinds.map(async (kind) => {
      const { group, plural } = rowOf(kind);
      const may = await Promise.all(
        verbs.map((verb) => isAllowed(client, { group, resource: plural, verb }, signal)),
      );
      const refused = verbs.filter((_, index) => may[index] === false);
      const name = group === '' ? plural : `${plural}.${group}`;
      return refused.length === 0 ? [] : [`${refused.join(' and ')} ${name}`];
    }),
  );
  const all = missing.flat();
  if (all.length === 0) return undefined;
  return (
    `the API server does not let us ${all.join(', ')}: nothing is ready before a ClusterRole allows it ` +
    'to our ServiceAccount'
  );
};

/** Undefined when the server does not answer the question. */
const isAllowed = async (
  client: KubeClient,
  resourceAttributes: { readonly group: string; readonly resource: string; readonly verb: string },
  signal: AbortSignal,
): Promise<boolean | undefined> => {
  const answer = await client.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    },
    signal,
  });
  if (answer.status !== 201 && answer.status !== 200) return undefined;
  const status = readJson(answer.body)?.status;
  return isWireObject(status) && typeof status.allowed === 'boolean' ? status.allowed : undefined;
};
