import { GatehouseError } from '@gatehouse/core/error';
import { isNamespaceName } from '@gatehouse/platform/kube/parse/meta';
import type { Surroundings } from '../cli.ts';

/** Where the control plane runs. Throws `invalid-argument`: a name that no namespace has would be part of paths and selectors. */
export const controlPlaneNamespace = (
  options: { readonly controlPlaneNamespace?: string },
  { env }: Pick<Surroundings, 'env'>,
): string => {
  const namespace = options.controlPlaneNamespace ?? env.GATEHOUSE_NAMESPACE ?? 'gatehouse';
  if (isNamespaceName(namespace)) return namespace;
  const field =
    options.controlPlaneNamespace === undefined ? 'GATEHOUSE_NAMESPACE' : '--control-plane-namespace';
  throw new GatehouseError(
    'invalid-argument',
    `${field}: \`${namespace}\` is not a valid namespace: use one DNS label, such as gatehouse, or leave it out`,
  );
};
