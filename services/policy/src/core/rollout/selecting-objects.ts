import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { RouteObject } from '../inbound/attached-routes.ts';
import {
  everyServer,
  type SelectingObject,
  serversLimitedBy,
  serversOf,
} from '../inbound/rows/policy-index.ts';
import { selectsServer } from '../inbound/server-authorizations.ts';
import type { Judged } from '../judgement/judgement.ts';

type Index = Pick<ResourceIndex, 'all' | 'get' | 'in'>;
type Server = KubeObject<'Server'>;
type AuthorizationPolicy = KubeObject<'AuthorizationPolicy'>;

/**
 * The objects through which a policy object reaches proxies: itself, where it selects pods, else the Servers that it is for. Of one
 * that cannot be read and no longer says which, all that it may have been for: what it granted there has to be withdrawn.
 */
export const selectingObjects = (index: Index, object: Judged): readonly SelectingObject[] => {
  const { namespace } = object.meta;
  const servers = (): readonly Server[] => [...index.in('Server', namespace).values()];
  const named = (names: readonly string[]): readonly Server[] =>
    names.includes(everyServer)
      ? servers()
      : names.flatMap((name) => index.get('Server', namespace, name) ?? []);
  switch (object.kind) {
    case 'NetworkAuthenticationPolicy':
    case 'Server':
      return [object];
    case 'AuthorizationPolicy':
      return named(serversOfTarget(index, object));
    case 'ServerAuthorization': {
      const { spec } = object;
      return isRejected(spec)
        ? servers()
        : servers().filter((server) => selectsServer(spec, server) !== 'no');
    }
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute':
      return named(serversOf(object));
    case 'HTTPLocalRateLimitPolicy':
      return named(serversLimitedBy(object));
    case 'MeshTLSAuthentication':
    case 'NetworkAuthentication':
      return [
        ...new Set(
          index
            .all('AuthorizationPolicy')
            .filter((policy) => refersTo(policy, object))
            .flatMap((policy) => selectingObjects(index, policy)),
        ),
      ];
  }
};

const serversOfTarget = (index: Index, { meta, spec }: AuthorizationPolicy): readonly string[] => {
  if (isRejected(spec)) return [everyServer];
  const { target } = spec;
  switch (target.kind) {
    case 'Namespace':
      return [everyServer];
    case 'Server':
      return [target.name];
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute': {
      const route = index.get(target.kind, meta.namespace, target.name) as RouteObject | undefined;
      return route === undefined ? [] : serversOf(route);
    }
  }
};

const refersTo = (
  { spec }: AuthorizationPolicy,
  { kind, meta }: KubeObject<'MeshTLSAuthentication'> | KubeObject<'NetworkAuthentication'>,
): boolean =>
  !isRejected(spec) &&
  spec.authentications.some(
    (each) => each.kind === kind && each.namespace === meta.namespace && each.name === meta.name,
  );
