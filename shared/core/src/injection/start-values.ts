import { parsePortSet, portSet, printPortSet } from '../port-set.ts';
import { defaultInboundPolicyAnnotation } from '../resources/annotations.ts';
import { defaultPolicies } from '../resources/kinds/linkerd.ts';
import type { PodSettings } from './annotation-table.ts';
import type { ContainerFacts, PodTemplate } from './pod-template.ts';
import type { PodToInject } from './pod-to-inject.ts';

/**
 * How the proxy decides until policy has spoken: no looser than what may be in force then (design §6.2). An open default of the
 * namespace counts only where the cluster's is open as well: taken from the namespace again, it would leave the cluster's.
 */
export const startPolicyOf = (pod: PodToInject, { settings, defaultInboundPolicy }: PodSettings): string => {
  if (pod.policies?.select === true) return 'deny';
  if (defaultInboundPolicy !== undefined) return defaultInboundPolicy;
  const cluster = settings.defaultInboundPolicy;
  const namespace = pod.namespace.annotations[defaultInboundPolicyAnnotation] ?? cluster;
  const isKnown = (defaultPolicies as readonly string[]).includes(namespace);
  return cluster === 'deny' || !isKnown ? 'deny' : namespace;
};

const portsOf = (containers: readonly ContainerFacts[]) => containers.flatMap(({ ports }) => ports);

/** Containers that serve while the pod runs. */
export const serving = ({ initContainers, containers }: PodTemplate): readonly ContainerFacts[] => [
  ...initContainers.filter(({ staysUp }) => staysUp),
  ...containers,
];

/** Declared TCP ports, those that kubelet probes, and those that policies name: the proxy knows their policy from its start on. */
export const inboundPortsOf = (pod: PodToInject, template: PodTemplate): string => {
  const containers = serving(template);
  const numbers = [
    ...portsOf(containers).flatMap(({ port, protocol }) => (protocol === 'TCP' ? [port] : [])),
    ...containers.flatMap(({ probePorts }) => probePorts),
    ...(pod.policies?.ports ?? []),
  ];
  return [...new Set(numbers)].sort((a, b) => a - b).join(',');
};

/** The annotation's list with names resolved, else the cluster's; the annotation alone counts where it is there. */
export const opaquePortsOf = (template: PodTemplate, { opaquePorts, settings }: PodSettings): string => {
  if (opaquePorts === undefined) return settings.opaquePorts;
  const named = portsOf(serving(template));
  const ranges = opaquePorts.split(',').flatMap((item) => {
    const ports = parsePortSet(item);
    return ports.ok
      ? ports.value.ranges
      : named.flatMap(({ name, port }) => (name === item ? [{ first: port, last: port }] : []));
  });
  return printPortSet(portSet(ranges));
};
