import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { AuthorizationPolicySpec } from '@gatehouse/core/resources/kinds/linkerd';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { isSpokenBy, type RouteObject, writtenKindOf } from '../inbound/attached-routes.ts';
import { protocolUnder } from '../inbound/govern.ts';

/** Why what an AuthorizationPolicy grants has nothing to apply to, as a sentence; undefined = it has something. */
export const whatIsMissing = (
  target: AuthorizationPolicySpec['target'],
  namespace: string,
  index: ResourceIndex,
): string | undefined => {
  if (target.kind === 'Namespace') {
    return index.in('Server', namespace).size > 0
      ? undefined
      : 'The namespace has no Server, and the policy counts only on ports that a Server governs.';
  }
  const { kind, name } = target;
  if (kind === 'Server') return whatIsUnread({ kind, name }, index.get(kind, namespace, name));
  const route = index.get(kind, namespace, name) as RouteObject | undefined;
  const unread = whatIsUnread({ kind: writtenKindOf({ kind }), name }, route);
  return unread ?? (route && whatIsUnattached(route, [...index.in('Server', namespace).values()]));
};

const whatIsUnread = (
  { kind, name }: { readonly kind: string; readonly name: string },
  found: KubeObject | undefined,
): string | undefined => {
  if (found === undefined) return `There is no ${kind} ${name} in the namespace.`;
  return isRejected(found.spec) ? `${kind} ${name} could not be read.` : undefined;
};

const whatIsUnattached = (
  route: RouteObject,
  servers: readonly KubeObject<'Server'>[],
): string | undefined => {
  const { spec, meta } = route;
  if (isRejected(spec)) return undefined;
  const own = servers.filter((server) => spec.servers.includes(server.meta.name) && !isRejected(server.spec));
  const kind = writtenKindOf(route);
  if (own.length === 0) return `${kind} ${meta.name} is attached to no Server that could be read.`;
  const isSpoken = own.some((server) => {
    const protocol = protocolUnder(server);
    return protocol !== undefined && isSpokenBy(protocol)(route);
  });
  if (isSpoken) return undefined;
  return `${kind} ${meta.name} is attached to no Server that speaks ${kind === 'GRPCRoute' ? 'gRPC' : 'HTTP'}.`;
};
