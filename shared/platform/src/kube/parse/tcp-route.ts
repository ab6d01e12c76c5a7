import type {
  RouteBackend,
  ServiceParent,
  TcpRouteSpec,
  TlsRouteSpec,
} from '@gatehouse/core/resources/kinds/gateway';
import { intern } from '../intern.ts';
import type { Fields } from './fields.ts';
import type { Parent } from './http-route-parent.ts';
import { closesNothing, policyParser, type Wire } from './read.ts';
import { isElsewhere, readHosts, readParents, servicesOf } from './route-parents.ts';

const gateway = 'gateway.networking.k8s.io';
/** The highest weight that Gateway API knows. */
const heaviest = 1_000_000;

const backendKind = (group: string, kind: string): RouteBackend['kind'] => {
  if ((group === '' || group === 'core') && kind === 'service') return 'Service';
  return group === 'policy.linkerd.io' && kind === 'egressnetwork' ? 'EgressNetwork' : 'other';
};

const readBackend = (ref: Fields, ownNamespace: string): RouteBackend | undefined => {
  const kind = backendKind(
    (ref.text('group') ?? '').toLowerCase(),
    (ref.text('kind') ?? 'Service').toLowerCase(),
  );
  const name = ref.need('name', 'name the destination') ? ref.text('name') : undefined;
  const namespace = ref.text('namespace') || ownNamespace;
  const port = ref.port('port');
  const weight = ref.whole('weight', 0, heaviest) ?? 1;
  ref.close();
  if (kind === 'Service' && !ref.has('port')) ref.refuse('port', 'missing', 'name a port of the Service');
  return name === undefined
    ? undefined
    : { kind, namespace: intern(namespace), name: intern(name), port, weight };
};

/** An EgressNetwork has no ports of its own, so the route says which it is about (semantics §2.11). */
const egressNetworksOf = (spec: Fields, parents: readonly Parent[]): readonly Required<ServiceParent>[] =>
  parents.flatMap((parent, index) => {
    if (parent.kind !== 'EgressNetwork') return [];
    const { namespace, name, port } = parent;
    if (port !== undefined) return [{ namespace, name, port }];
    spec.refuse(`parentRefs[${index}].port`, 'missing', 'an EgressNetwork is attached to by port');
    return [];
  });

const readBackends = (spec: Fields, namespace: string): readonly RouteBackend[] => {
  const rules = spec.need('rules', 'one rule with backendRefs')
    ? spec.eachFields('rules', (rule) => {
        rule.text('name');
        const backends = rule.eachFields('backendRefs', (ref) => readBackend(ref, namespace)) ?? [];
        rule.close();
        return backends;
      })
    : undefined;
  // Nothing tells one connection from another, so a second rule could never be reached.
  if (rules !== undefined && rules.length !== 1)
    spec.refuse('rules', `${rules.length} rules`, 'write exactly one');
  return rules?.[0] ?? [];
};

const elsewhere: TlsRouteSpec = { services: [], egressNetworks: [], backends: [], hosts: [] };

const readTcp = (spec: Fields, parents: readonly Parent[], namespace: string): TcpRouteSpec => {
  const egressNetworks = egressNetworksOf(spec, parents);
  const backends = readBackends(spec, namespace);
  spec.has('useDefaultGateways');
  spec.close();
  return { services: servicesOf(parents), egressNetworks, backends };
};

const parentsOf = (spec: Fields, { meta }: Wire): readonly Parent[] | undefined =>
  readParents(spec, { group: gateway, namespace: meta.namespace, refuse: true });

const isNotOurs = (spec: Fields, parents: readonly Parent[] | undefined): boolean =>
  isElsewhere(parents, ['Service', 'EgressNetwork']) && spec.problems.length === 0;

/** TCPRoutes and TLSRoutes are about outbound connections alone: a rejected one closes no port of any pod. */
export const tcpRouteParser = policyParser<TcpRouteSpec>({
  read: (spec, wire) => {
    const parents = parentsOf(spec, wire);
    if (isNotOurs(spec, parents)) return { services: [], egressNetworks: [], backends: [] };
    return readTcp(spec, parents ?? [], wire.meta.namespace);
  },
  closes: () => closesNothing,
});

export const tlsRouteParser = policyParser<TlsRouteSpec>({
  read: (spec, wire) => {
    const parents = parentsOf(spec, wire);
    if (isNotOurs(spec, parents)) return elsewhere;
    const hosts = readHosts(spec);
    return { ...readTcp(spec, parents ?? [], wire.meta.namespace), hosts };
  },
  closes: () => closesNothing,
});
