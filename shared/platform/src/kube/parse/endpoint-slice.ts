import { readIp } from '@gatehouse/core/ip-network';
import type { EndpointSliceSpec, SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import { intern } from '../intern.ts';
import type { Fields } from './fields.ts';
import { readAddress } from './ip-list.ts';
import { type Read, readCore, type Wire } from './read.ts';

const serviceLabel = 'kubernetes.io/service-name';

/** One that cannot be read whole may be another port than it seems, and is none. */
const readPort = (port: Fields): EndpointSliceSpec['ports'][number] | undefined => {
  const known = port.problems.length;
  const number = port.port('port');
  const protocol = port.text('protocol') ?? 'TCP';
  const name = port.text('name') ?? '';
  if (number === undefined || protocol !== 'TCP' || port.problems.length > known) return undefined;
  return { name: intern(name), port: number };
};

const readNames = (hints: Fields, name: string): readonly string[] =>
  hints.eachFields(name, (hint) => hint.text('name'))?.map(intern) ?? [];

/** `unread`: it names a pod, and nobody can say which. */
const readTarget = (endpoint: Fields, namespace: string): SliceEndpoint['target'] | 'unread' => {
  if (!endpoint.has('targetRef')) return undefined;
  const known = endpoint.problems.length;
  const target = endpoint.fields('targetRef');
  const kind = target?.text('kind');
  const name = target?.text('name');
  const named = target?.text('namespace') ?? namespace;
  if (endpoint.problems.length > known) return 'unread';
  return kind === undefined || name === undefined
    ? undefined
    : { kind: intern(kind), namespace: intern(named), name };
};

/** An unknown condition is to be read as ready (EndpointConditions of discovery.k8s.io/v1); an unreadable one is not unknown. */
const readReady = (endpoint: Fields): boolean => {
  const known = endpoint.problems.length;
  const ready = endpoint.part('conditions').flag('ready') ?? true;
  return ready && endpoint.problems.length === known;
};

const readEndpoint = (endpoint: Fields, namespace: string): SliceEndpoint | undefined => {
  const addresses = endpoint.each('addresses', (value, item) => readAddress(endpoint, item, value)) ?? [];
  const hints = endpoint.part('hints');
  const target = readTarget(endpoint, namespace);
  // Without its pod it would be a bare address, to which nothing is encrypted.
  if (addresses.length === 0 || target === 'unread') return undefined;
  return {
    addresses,
    ready: readReady(endpoint),
    hostname: endpoint.text('hostname') ?? '',
    nodeName: intern(endpoint.text('nodeName') ?? ''),
    zone: intern(endpoint.text('zone') ?? ''),
    forZones: readNames(hints, 'forZones'),
    forNodes: readNames(hints, 'forNodes'),
    target,
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
