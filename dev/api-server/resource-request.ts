import type { ResourceType } from './resource-types.ts';
import { objectKey } from './store.ts';

/** A request whose resource is served, as the parts that answer it see it. */
export interface ResourceRequest {
  readonly type: ResourceType;
  readonly version: string;
  /** '' for cluster-scoped resources, and for all namespaces. */
  readonly namespace: string;
  /** '' for collections. */
  readonly name: string;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly query: URLSearchParams;
}

/** The key of the object that a request names. */
export const keyOf = (request: Pick<ResourceRequest, 'namespace' | 'name'>): string =>
  objectKey(request.namespace, request.name);

/** Everything happens but the write. */
export const isDryRun = ({ query }: ResourceRequest): boolean => query.get('dryRun') === 'All';

/** A flag of the query, as Go reads it. */
export const isSet = (query: URLSearchParams, name: string): boolean =>
  ['true', '1'].includes(query.get(name) ?? '');

/** Seconds, as metav1.Time has them. */
export const printTime = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
