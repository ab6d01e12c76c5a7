import type { ServiceAccountSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import type { Read } from './read.ts';

/** That it exists, under which uid, is all that a ServiceAccount says here. */
export const parseServiceAccount = (): Read<ServiceAccountSpec> => ({ spec: {}, warnings: [] });
