import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { Type } from 'typebox';
import { getObject } from './get-object.ts';

const Pods = Type.Object({
  items: Type.Array(Type.Object({ metadata: Type.Object({ name: Type.String() }) })),
});

interface Selected {
  readonly namespace: string;
  /** As kubectl takes it: the API server reads it, and says what is wrong with it. */
  readonly selector: string;
  readonly signal: AbortSignal;
}

/** The names of a namespace's pods with these labels, in the order of their names. */
export const selectPods = async (
  client: KubeClient,
  { namespace, selector, signal }: Selected,
): Promise<readonly string[]> => {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const query = { labelSelector: selector };
  const listed = await getObject(client, { path, query, schema: Pods, signal });
  return (listed?.items ?? []).map(({ metadata }) => metadata.name).sort();
};
