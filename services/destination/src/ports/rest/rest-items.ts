import { isOpaqueServicePort } from '@gatehouse/core/mesh/opaque-port';
import { printServiceName } from '@gatehouse/core/mesh/service-authority';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { Type } from 'typebox';
import type { Cluster, ClusterSettings } from '../../core/cluster.ts';
import { type Endpoint, localityOf } from '../../core/endpoints/endpoint.ts';
import { remarksOn } from '../../core/endpoints/remarks.ts';

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
  workload: nullable(
    Type.String({ description: "The pod's name, or externalworkload/NAME; null where none is known" }),
  ),
  identity: nullable(Type.String({ description: 'What its certificate must say; null = plaintext' })),
  protocol: nullable(
    Type.String({ description: 'h2 or opaque, how its proxy is spoken to; null = it has none' }),
  ),
  inboundPort: nullable(Type.Integer({ description: "Where its proxy takes the mesh's transport header" })),
  labels: Type.Record(Type.String(), Type.String()),
  nodeName: Type.String(),
  zone: Type.String(),
  zoneLocality: Type.String({ description: 'local, remote, or unknown where either zone is' }),
  remarks: Type.Array(Type.String(), { description: 'Why it is reached in plaintext, or as bytes' }),
});
export type EndpointItem = Type.Static<typeof EndpointItem>;

export const endpointItem = (
  endpoint: Endpoint,
  {
    cluster,
    namespace,
    clientZone = '',
  }: { readonly cluster: Cluster; readonly namespace: string; readonly clientZone?: string },
): EndpointItem => {
  const { seenAs, place } = endpoint;
  const { ip, port, identity, hint, labels } = seenAs.unknown.shown;
  return {
    ip,
    port,
    workload: place.workload === '' ? null : place.workload,
    identity: identity === undefined ? null : printIdentity(identity),
    protocol: hint?.protocol ?? null,
    inboundPort: hint?.inboundPort ?? null,
    labels: { ...labels },
    nodeName: place.nodeName,
    zone: place.zone,
    zoneLocality: localityOf(place.zone, clientZone),
    remarks: [...remarksOn(cluster, namespace, endpoint)],
  };
};
