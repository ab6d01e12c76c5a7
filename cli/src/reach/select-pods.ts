import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { Type } from 'typebox';
import { listObjects } from './list-objects.ts';

const Pod = Type.Object({ metadata: Type.Object({ name: Type.String() }) });

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
  const pods = await listObjects(client, { path, labelSelector: selector, schema: Pod, signal });
  return (pods ?? []).map(({ metadata }) => metadata.name).sort();
};
