import { readShippedRbac } from '@gatehouse/manifests/shipped-rbac';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

/** The roles, bindings and ServiceAccounts of deploy/rbac, as they are shipped. */
export const readDeployedRbac = (): Promise<readonly WireObject[]> => readShippedRbac();
