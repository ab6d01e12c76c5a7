import type { ServicePort, ServiceSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { intern } from '../intern.ts';
import { describe, type Fields } from './fields.ts';
import { readAddress, readAddresses } from './ip-list.ts';
import { type Read, readCore, type Wire } from './read.ts';

const types = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'] as const;

const readTargetPort = (port: Fields, number: number): number | string => {
  const target = port.raw('targetPort');
  if (typeof target === 'string' && target !== '') return intern(target);
  return target === undefined || target === 0 || target === '' ? number : (port.port('targetPort') ?? number);
};

/** One that cannot be read whole would lead to another port than was meant, and is none. */
const readPort = (port: Fields): ServicePort | undefined => {
  const known = port.problems.length;
  const number = port.port('port');
  const protocol = port.text('protocol') ?? 'TCP';
  const name = port.text('name') ?? '';
  const appProtocol = port.text('appProtocol');
  const targetPort = number === undefined ? '' : readTargetPort(port, number);
  if (number === undefined || protocol !== 'TCP' || port.problems.length > known) return undefined;
  return {
    name: intern(name),
    port: number,
    targetPort,
    appProtocol: appProtocol === undefined ? undefined : intern(appProtocol),
  };
};

/** `None` means headless: kube-apiserver then writes `clusterIPs: [None]`. */
export const isHeadless = (spec: Fields): boolean => {
  const listed = spec.raw('clusterIPs');
  return spec.raw('clusterIP') === 'None' || (Array.isArray(listed) && listed[0] === 'None');
};

const readClusterIps = (spec: Fields, type: ServiceSpec['type']): readonly string[] =>
  type === 'ExternalName' || isHeadless(spec)
    ? []
    : readAddresses(spec, {
        list: 'clusterIPs',
        single: 'clusterIP',
        item: (value, item) => readAddress(spec, item, value),
      });

/** A Service without selector, or with an empty one, selects no pods: its endpoints come from EndpointSlices alone. */
const readServiceSelector = (spec: Fields): ServiceSpec['selector'] => {
  const selector = spec.fields('selector');
  const labels: Record<string, string> = {};
  for (const key of selector?.names() ?? []) {
    const value = selector?.raw(key);
    if (typeof value !== 'string') {
      // One unreadable pair makes the selector select more than was meant, so it selects nothing.
      selector?.refuse(
        key,
        `${describe(value)} is not a valid label value`,
        'put it in quotes; until then no pod is selected',
      );
      return undefined;
    }
    labels[intern(key)] = intern(value);
  }
  return Object.keys(labels).length === 0 ? undefined : labels;
};

const readSpec = (spec: Fields): ServiceSpec => {
  const type = spec.oneOf('type', types) ?? 'ClusterIP';
  return {
    type,
    clusterIps: readClusterIps(spec, type),
    selector: type === 'ExternalName' ? undefined : readServiceSelector(spec),
    ports: spec.eachFields('ports', readPort) ?? [],
    internalTrafficLocal: spec.oneOf('internalTrafficPolicy', ['Cluster', 'Local']) === 'Local',
    trafficDistribution: spec.oneOf('trafficDistribution', distributions),
    publishNotReady: spec.flag('publishNotReadyAddresses') ?? false,
  };
};

export const parseService = (wire: Wire): Read<ServiceSpec> =>
  readCore(wire, (body) => readSpec(body.part('spec')));
