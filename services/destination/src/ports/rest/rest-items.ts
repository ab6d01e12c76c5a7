import { isOpaqueServicePort } from '@gatehouse/core/mesh/opaque-port';
import { printServiceName } from '@gatehouse/core/mesh/service-authority';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { Type } from 'typebox';
import type { ClusterSettings } from '../../core/cluster.ts';
import { type Endpoint, localityOf } from '../../core/endpoints/endpoint.ts';
import type { Profile } from '../../core/profile/profile.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const ServiceItem = Type.Object({
  namespace: Type.String(),
  name: Type.String(),
  authority: Type.String({ description: 'Its name as proxies ask for it; add a colon and the port' }),
  type: Type.String(),
  clusterIps: Type.Array(Type.String(), { description: 'Empty for headless Services' }),
  ports: Type.Array(
    Type.Object({
      name: Type.String(),
      port: Type.Integer(),
      targetPort: Type.Union([Type.Integer(), Type.String()]),
      opaque: Type.Boolean({ description: 'Clients treat it as bytes' }),
    }),
  ),
});
export type ServiceItem = Type.Static<typeof ServiceItem>;

export const serviceItem = (service: KubeObject<'Service'>, settings: ClusterSettings): ServiceItem => {
  const { meta, spec } = service;
  return {
    namespace: meta.namespace,
    name: meta.name,
    authority: printServiceName(meta, settings.clusterDomain),
    type: spec.type,
    clusterIps: [...spec.clusterIps],
    ports: spec.ports.map(({ name, port, targetPort }) => ({
      name,
      port,
      targetPort,
      opaque: isOpaqueServicePort(service, port, settings.defaultOpaquePorts),
    })),
  };
};

export const EndpointItem = Type.Object({
  ip: Type.String(),
  port: Type.Integer(),
  identity: nullable(Type.String({ description: 'What its certificate must say; null = plaintext' })),
  protocol: nullable(
    Type.String({ description: 'h2 or opaque, how its proxy is spoken to; null = it has none' }),
  ),
  inboundPort: nullable(Type.Integer({ description: "Where its proxy takes the mesh's transport header" })),
  labels: Type.Record(Type.String(), Type.String()),
  nodeName: Type.String(),
  zone: Type.String(),
  zoneLocality: Type.String({ description: 'local, remote, or unknown where either zone is' }),
});
export type EndpointItem = Type.Static<typeof EndpointItem>;

export const endpointItem = ({ seenAs, place }: Endpoint, clientZone = ''): EndpointItem => {
  const { ip, port, identity, hint, labels } = seenAs.unknown.shown;
  return {
    ip,
    port,
    identity: identity === undefined ? null : printIdentity(identity),
    protocol: hint?.protocol ?? null,
    inboundPort: hint?.inboundPort ?? null,
    labels: { ...labels },
    nodeName: place.nodeName,
    zone: place.zone,
    zoneLocality: localityOf(place.zone, clientZone),
  };
};

export const ProfileItem = Type.Object({
  kind: Type.String({ description: 'service, endpoint, unknown-address, contested-address or nothing' }),
  name: nullable(Type.String()),
  opaque: Type.Boolean(),
  endpoint: nullable(EndpointItem),
  reason: nullable(Type.String({ description: 'Why there is nothing to say' })),
});
export type ProfileItem = Type.Static<typeof ProfileItem>;

export const profileItem = (
  profile: Profile,
  { clusterDomain, clientZone }: { readonly clusterDomain: string; readonly clientZone: string },
): ProfileItem => {
  const item = { kind: profile.kind, name: null, opaque: false, endpoint: null, reason: null };
  switch (profile.kind) {
    case 'service':
      return { ...item, name: printServiceName(profile, clusterDomain), opaque: profile.opaque };
    case 'endpoint':
      return { ...item, opaque: profile.opaque, endpoint: endpointItem(profile.endpoint, clientZone) };
    case 'unknown-address':
      return { ...item, opaque: profile.opaque };
    case 'contested-address': {
      const more = profile.count - profile.claimants.length;
      const names = [...profile.claimants, ...(more > 0 ? [`${more} more`] : [])].join(', ');
      return {
        ...item,
        opaque: profile.opaque,
        reason: `${names} have the address, and nothing tells which was given it last`,
      };
    }
    case 'nothing':
      return { ...item, reason: profile.reason };
  }
};

/** What one client would be told: both methods' answers for one authority. */
export const Resolution = Type.Object({
  target: Type.String(),
  client: Type.Object({ nodeName: Type.String(), zone: Type.String() }),
  get: nullable(
    Type.Object({
      kind: Type.String({ description: 'endpoints, missing or external-name' }),
      endpoints: Type.Array(EndpointItem),
      leftOut: Type.Array(Type.Object({ pod: Type.String(), address: Type.String(), why: Type.String() }), {
        description: 'What the Service selects or lists and this client is not given, at most 100',
        maxItems: 100,
      }),
    }),
  ),
  profile: ProfileItem,
});
export type Resolution = Type.Static<typeof Resolution>;
