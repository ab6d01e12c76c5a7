import type { Kind, Rejected, Specs } from '@gatehouse/core/resources/kinds';
import { authorizationPolicyParser } from './parse/authorization-policy.ts';
import { egressNetworkParser } from './parse/egress-network.ts';
import { parseEndpointSlice } from './parse/endpoint-slice.ts';
import { parseExternalWorkload } from './parse/external-workload.ts';
import { grpcRouteParser } from './parse/grpc-route.ts';
import { httpLocalRateLimitPolicyParser } from './parse/http-local-rate-limit-policy.ts';
import { httpRouteParser } from './parse/http-route.ts';
import { meshTlsAuthenticationParser } from './parse/mesh-tls-authentication.ts';
import { parseNamespace } from './parse/namespace.ts';
import { networkAuthenticationParser } from './parse/network-authentication.ts';
import { networkAuthenticationPolicyParser } from './parse/network-authentication-policy.ts';
import { parseNode } from './parse/node.ts';
import { parsePod } from './parse/pod.ts';
import type { Read, Wire } from './parse/read.ts';
import { serverParser } from './parse/server.ts';
import { serverAuthorizationParser } from './parse/server-authorization.ts';
import { parseService } from './parse/service.ts';
import { parseServiceAccount } from './parse/service-account.ts';
import { serviceProfileParser } from './parse/service-profile.ts';
import { tcpRouteParser, tlsRouteParser } from './parse/tcp-route.ts';

/** What is known of a kind before any object of it is: its names on the wire, and who reads it. */
export type KindRow<K extends Kind> = KindNames & Reader<K>;

interface KindNames {
  readonly group: string;
  /** The versions whose schema we read, the newest first. */
  readonly versions: readonly string[];
  readonly wireKind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** A core object costs at most the fields that cannot be read; a policy object is whole, or rejected (design §6.2). */
type Reader<K extends Kind> = [Extract<Specs[K], Rejected>] extends [never]
  ? { readonly class: 'core'; readonly parse: (wire: Wire) => Read<Specs[K]> }
  : {
      readonly class: 'policy';
      readonly parse: (wire: Wire) => Read<Specs[K]>;
      readonly reject: (wire: Wire, problems: Rejected['rejected']) => Extract<Specs[K], Rejected>;
    };

const linkerd = 'policy.linkerd.io';
const gateway = 'gateway.networking.k8s.io';

/** Every watched kind. Adding one is adding a row here and a spec in kinds.ts. */
export const kindTable = {
  Namespace: {
    group: '',
    versions: ['v1'],
    wireKind: 'Namespace',
    plural: 'namespaces',
    namespaced: false,
    class: 'core',
    parse: parseNamespace,
  },
  ServiceAccount: {
    group: '',
    versions: ['v1'],
    wireKind: 'ServiceAccount',
    plural: 'serviceaccounts',
    namespaced: true,
    class: 'core',
    parse: parseServiceAccount,
  },
  Pod: {
    group: '',
    versions: ['v1'],
    wireKind: 'Pod',
    plural: 'pods',
    namespaced: true,
    class: 'core',
    parse: parsePod,
  },
  Service: {
    group: '',
    versions: ['v1'],
    wireKind: 'Service',
    plural: 'services',
    namespaced: true,
    class: 'core',
    parse: parseService,
  },
  EndpointSlice: {
    group: 'discovery.k8s.io',
    versions: ['v1'],
    wireKind: 'EndpointSlice',
    plural: 'endpointslices',
    namespaced: true,
    class: 'core',
    parse: parseEndpointSlice,
  },
  Node: {
    group: '',
    versions: ['v1'],
    wireKind: 'Node',
    plural: 'nodes',
    namespaced: false,
    class: 'core',
    parse: parseNode,
  },
  NetworkAuthenticationPolicy: {
    group: linkerd,
    versions: ['v1alpha1'],
    wireKind: 'NetworkAuthenticationPolicy',
    plural: 'networkauthenticationpolicies',
    namespaced: true,
    class: 'policy',
    ...networkAuthenticationPolicyParser,
  },
  Server: {
    group: linkerd,
    versions: ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1'],
    wireKind: 'Server',
    plural: 'servers',
    namespaced: true,
    class: 'policy',
    ...serverParser,
  },
  AuthorizationPolicy: {
    group: linkerd,
    versions: ['v1alpha1'],
    wireKind: 'AuthorizationPolicy',
    plural: 'authorizationpolicies',
    namespaced: true,
    class: 'policy',
    ...authorizationPolicyParser,
  },
  MeshTLSAuthentication: {
    group: linkerd,
    versions: ['v1alpha1'],
    wireKind: 'MeshTLSAuthentication',
    plural: 'meshtlsauthentications',
    namespaced: true,
    class: 'policy',
    ...meshTlsAuthenticationParser,
  },
  NetworkAuthentication: {
    group: linkerd,
    versions: ['v1alpha1'],
    wireKind: 'NetworkAuthentication',
    plural: 'networkauthentications',
    namespaced: true,
    class: 'policy',
    ...networkAuthenticationParser,
  },
  HTTPRoute: {
    group: linkerd,
    versions: ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1'],
    wireKind: 'HTTPRoute',
    plural: 'httproutes',
    namespaced: true,
    class: 'policy',
    ...httpRouteParser(linkerd),
  },
  GatewayHTTPRoute: {
    group: gateway,
    versions: ['v1', 'v1beta1'],
    wireKind: 'HTTPRoute',
    plural: 'httproutes',
    namespaced: true,
    class: 'policy',
    ...httpRouteParser(gateway),
  },
  ServerAuthorization: {
    group: linkerd,
    versions: ['v1beta1', 'v1alpha1'],
    wireKind: 'ServerAuthorization',
    plural: 'serverauthorizations',
    namespaced: true,
    class: 'policy',
    ...serverAuthorizationParser,
  },
  HTTPLocalRateLimitPolicy: {
    group: linkerd,
    versions: ['v1alpha1'],
    wireKind: 'HTTPLocalRateLimitPolicy',
    plural: 'httplocalratelimitpolicies',
    namespaced: true,
    class: 'policy',
    ...httpLocalRateLimitPolicyParser,
  },
  EgressNetwork: {
    group: linkerd,
    versions: ['v1alpha1'],
    wireKind: 'EgressNetwork',
    plural: 'egressnetworks',
    namespaced: true,
    class: 'policy',
    ...egressNetworkParser,
  },
  GRPCRoute: {
    group: gateway,
    versions: ['v1', 'v1alpha2'],
    wireKind: 'GRPCRoute',
    plural: 'grpcroutes',
    namespaced: true,
    class: 'policy',
    ...grpcRouteParser,
  },
  TLSRoute: {
    group: gateway,
    versions: ['v1', 'v1alpha3', 'v1alpha2'],
    wireKind: 'TLSRoute',
    plural: 'tlsroutes',
    namespaced: true,
    class: 'policy',
    ...tlsRouteParser,
  },
  TCPRoute: {
    group: gateway,
    versions: ['v1alpha2'],
    wireKind: 'TCPRoute',
    plural: 'tcproutes',
    namespaced: true,
    class: 'policy',
    ...tcpRouteParser,
  },
  ServiceProfile: {
    group: 'linkerd.io',
    versions: ['v1alpha2', 'v1alpha1'],
    wireKind: 'ServiceProfile',
    plural: 'serviceprofiles',
    namespaced: true,
    class: 'policy',
    ...serviceProfileParser,
  },
  ExternalWorkload: {
    group: 'workload.linkerd.io',
    versions: ['v1beta1', 'v1alpha1'],
    wireKind: 'ExternalWorkload',
    plural: 'externalworkloads',
    namespaced: true,
    class: 'core',
    parse: parseExternalWorkload,
  },
} as const satisfies { readonly [K in Kind]: KindRow<K> };

export const kinds = Object.keys(kindTable) as readonly Kind[];

/** The row of a kind that is known only at run time. */
export const rowOf = (kind: Kind): KindNames & AnyReader => kindTable[kind];

type AnyReader =
  | { readonly class: 'core'; readonly parse: (wire: Wire) => Read<Specs[Kind]> }
  | {
      readonly class: 'policy';
      readonly parse: (wire: Wire) => Read<Specs[Kind]>;
      readonly reject: (wire: Wire, problems: Rejected['rejected']) => Extract<Specs[Kind], Rejected>;
    };

/** Our kind for a group and a kind as manifests write them. */
export const kindOf = (group: string, wireKind: string): Kind | undefined =>
  kinds.find((kind) => kindTable[kind].group === group && kindTable[kind].wireKind === wireKind);
