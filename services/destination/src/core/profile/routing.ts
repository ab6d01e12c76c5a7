import { printServiceName, type ServiceName } from '@gatehouse/core/mesh/service-authority';
import type { Problem } from '@gatehouse/core/problem';
import { isRejected } from '@gatehouse/core/resources/kinds';
import type { ServiceProfileSpec } from '@gatehouse/core/resources/kinds/linkerd';
import type { Cluster } from '../cluster.ts';
import { facts } from '../facts.ts';

/** What a ServiceProfile says of the requests to a Service, to one client. */
export type Routing =
  /** There is none: the policy service's routes alone apply. */
  | { readonly kind: 'none' }
  | (ServiceName & { readonly kind: 'profile'; readonly spec: ServiceProfileSpec })
  /** Half a profile would retry or time out what it should not. It keeps its place, and nothing of it applies. */
  | (ServiceName & { readonly kind: 'rejected'; readonly problems: readonly Problem[] });

const none: Routing = Object.freeze({ kind: 'none' });

/** The client's own ServiceProfile for the Service, else that of the Service's namespace (semantics §3.1). */
export const routingOf = (
  { index, settings }: Cluster,
  reads: Set<string>,
  { service, clientNamespace }: { readonly service: ServiceName; readonly clientNamespace: string },
): Routing => {
  const name = printServiceName(service, settings.clusterDomain);
  const namespaces = new Set([clientNamespace, service.namespace]);
  namespaces.delete('');
  for (const namespace of namespaces) {
    reads.add(facts.profile(namespace, name));
    const spec = index.get('ServiceProfile', namespace, name)?.spec;
    if (spec === undefined) continue;
    return isRejected(spec)
      ? { kind: 'rejected', namespace, name, problems: spec.rejected }
      : { kind: 'profile', namespace, name, spec };
  }
  return none;
};

/** Objects are replaced when they change, so one that is the same says the same. */
export const isSameRouting = (a: Routing, b: Routing): boolean => {
  if (a.kind === 'none' || b.kind === 'none') return a.kind === b.kind;
  if (a.namespace !== b.namespace || a.name !== b.name) return false;
  if (a.kind === 'profile') return b.kind === 'profile' && a.spec === b.spec;
  return b.kind === 'rejected' && a.problems === b.problems;
};
