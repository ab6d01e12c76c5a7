import { readIp } from '@gatehouse/core/ip-network';
import type { EndpointSliceSpec, SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import { intern } from '../intern.ts';
import type { Fields } from './fields.ts';
import { readAddress } from './ip-list.ts';
import { type Read, readCore, type Wire } from './read.ts';

const serviceLabel = 'kubernetes.io/service-name';

const readPort = (port: Fields): EndpointSliceSpec['ports'][number] | undefined => {
  const number = port.port('port');
  if (number === undefined || (port.text('protocol') ?? 'TCP') !== 'TCP') return undefined;
  return { name: intern(port.text('name') ?? ''), port: number };
};

const readNames = (hints: Fields, name: string): readonly string[] =>
  hints.eachFields(name, (hint) => hint.text('name'))?.map(intern) ?? [];

const readTarget = (endpoint: Fields, namespace: string): SliceEndpoint['target'] => {
  const target = endpoint.fields('targetRef');
  const kind = target?.text('kind');
  const name = target?.text('name');
  if (kind === undefined || name === undefined) return undefined;
  return { kind: intern(kind), namespace: intern(target?.text('namespace') ?? namespace), name };
};

const readEndpoint = (endpoint: Fields, namespace: string): SliceEndpoint | undefined => {
  const addresses = endpoint.each('addresses', (value, item) => readAddress(endpoint, item, value)) ?? [];
  const hints = endpoint.part('hints');
  if (addresses.length === 0) return undefined;
  return {
    addresses,
    // An unknown condition is to be read as ready: EndpointConditions of discovery.k8s.io/v1.
    ready: endpoint.part('conditions').flag('ready') ?? true,
    hostname: endpoint.text('hostname') ?? '',
    nodeName: intern(endpoint.text('nodeName') ?? ''),
    zone: intern(endpoint.text('zone') ?? ''),
    forZones: readNames(hints, 'forZones'),
    forNodes: readNames(hints, 'forNodes'),
    target: readTarget(endpoint, namespace),
  };
};

/** Slices of type FQDN hold no addresses, so their endpoints are read as none. */
const readSlice = (body: Fields, { meta }: Wire): EndpointSliceSpec => {
  const type = body.oneOf('addressType', ['IPv4', 'IPv6', 'FQDN']) ?? 'IPv4';
  const family = type === 'IPv6' ? 6 : 4;
  const endpoints =
    type === 'FQDN' ? [] : (body.eachFields('endpoints', (each) => readEndpoint(each, meta.namespace)) ?? []);
  return {
    service: meta.labels[serviceLabel] ?? '',
    family,
    ports: body.eachFields('ports', readPort) ?? [],
    endpoints: endpoints.flatMap((endpoint) => {
      const addresses = endpoint.addresses.filter((address) => readIp(address)?.family === family);
      return addresses.length === 0 ? [] : [{ ...endpoint, addresses }];
    }),
  };
};

export const parseEndpointSlice = (wire: Wire): Read<EndpointSliceSpec> =>
  readCore(wire, (body) => readSlice(body, wire));
