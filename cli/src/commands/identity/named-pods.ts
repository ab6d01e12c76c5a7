import { GatehouseError } from '@gatehouse/core/error';
import type { MeshPlace } from '../../reach/open-admin.ts';
import { selectPods } from '../../reach/select-pods.ts';

/** Throws when a command line means no pod at all, before anybody is asked. */
export const requireNames = (names: readonly string[], selector: string | undefined): void => {
  if (names.length > 0 || selector !== undefined) return;
  throw new GatehouseError(
    'invalid-argument',
    'no pod is named: use `gatehouse identity POD`, --selector, or `gatehouse identity list`',
  );
};

interface Naming {
  readonly mesh: MeshPlace;
  readonly options: { readonly selector?: string; readonly namespace?: string };
  readonly signal: AbortSignal;
}

/** `NAMESPACE/NAME` of every pod that the command line means. Throws when a selector finds none. */
export const namedPods = async (
  names: readonly string[],
  { mesh, options, signal }: Naming,
): Promise<readonly string[]> => {
  const fallback = mesh.kind === 'cluster' ? mesh.cluster.namespace : 'default';
  const { selector, namespace = fallback } = options;
  const named = names.map((name) => (name.includes('/') ? name : `${namespace}/${name}`));
  if (selector === undefined) return named;
  if (mesh.kind !== 'cluster') {
    throw new GatehouseError('invalid-argument', '--selector asks the API server, so it needs a cluster');
  }
  const selected = await selectPods(mesh.cluster.client, { namespace, selector, signal });
  if (selected.length > 0) return [...new Set([...named, ...selected.map((name) => `${namespace}/${name}`)])];
  throw new GatehouseError('not-found', `no pod in the namespace ${namespace} has the labels ${selector}`);
};
