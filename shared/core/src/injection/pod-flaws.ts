import { quoted } from '../foreign-text.ts';
import { identityOf, isDnsName } from '../mesh/workload-identity.ts';
import type { Problem } from '../problem.ts';
import type { PodTemplate } from './pod-template.ts';
import type { PodToInject } from './pod-to-inject.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { serving } from './start-values.ts';

/** A proxy whose name no certificate can hold would wait for one for ever (design §3). */
export const longNames = (
  pod: PodToInject,
  { serviceAccount }: PodTemplate,
  settings: ProxySettings,
): readonly Problem[] => {
  const { controlPlaneNamespace, trustDomain } = settings;
  const namespace = pod.namespace.name ?? 'default';
  const { name } = identityOf({ controlPlaneNamespace, trustDomain }, namespace, serviceAccount);
  if (isDnsName(name)) return [];
  const tooLong =
    name.length > 253
      ? `${name.length} characters, of which a DNS name has at most 253`
      : 'a label that is not valid in a DNS name (1 to 63 letters, digits and hyphens)';
  return [
    {
      field: [pod.path, 'spec.serviceAccountName'].filter(Boolean).join('.'),
      found: `${quoted(serviceAccount)} gives the identity ${quoted(name, 260)}, which has ${tooLong}`,
      fix: 'use a ServiceAccount with a shorter name',
    },
  ];
};

/** What works, and not as its author may think. */
export const oddities = (
  pod: PodToInject,
  template: PodTemplate,
  { proxy }: ProxySettings,
): readonly string[] => {
  const containers = serving(template);
  const own = Object.entries(proxy.ports);
  const udp = containers.filter(({ ports }) => ports.some(({ protocol }) => protocol === 'UDP'));
  return [
    ...udp.map(({ name }) => `container ${quoted(name)} has a UDP port, which the proxy does not see`),
    ...containers.flatMap(({ name, ports }) =>
      ports.flatMap(({ port }) =>
        own
          .filter(([, mine]) => mine === port)
          .map(
            ([use]) => `container ${quoted(name)} has port ${port}, which is the proxy's ${use} port, too`,
          ),
      ),
    ),
    ...containers
      .filter(({ runAsUser }) => (runAsUser ?? template.runAsUser) === proxy.uid)
      .map(
        ({ name }) =>
          `container ${quoted(name)} runs as user ${proxy.uid}, as the proxy does: its connections bypass the mesh`,
      ),
    ...((pod.owner?.kind === 'Job' || pod.owner?.kind === 'CronJob') && !proxy.nativeSidecar
      ? [
          'a Job with a plain sidecar does not end: use native sidecars, or have it POST to /shutdown of the proxy',
        ]
      : []),
  ];
};
