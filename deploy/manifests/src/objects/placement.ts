import type { Values } from '../values/value-fields.ts';
import type { Texts } from '../values/value-forms.ts';

const byNode = 'kubernetes.io/hostname';
const byZone = 'topology.kubernetes.io/zone';

/** On which nodes the pods of a service run, and how they are replaced. */
export interface Placement {
  readonly rollingUpdate: { readonly maxUnavailable: number; readonly maxSurge: number };
  /** Fields of the pod's spec. */
  readonly pod: Readonly<Record<string, unknown>>;
}

export const placementOf = (selector: Texts, values: Values): Placement => {
  const labelSelector = { matchLabels: selector };
  const nodes = {
    nodeSelector: { 'kubernetes.io/os': 'linux', ...values.nodeSelector },
    ...(values.tolerations.length === 0 ? {} : { tolerations: values.tolerations }),
  };
  const spread = {
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: byZone, whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
    ],
  };
  switch (values.podAntiAffinity) {
    case 'none':
      return { rollingUpdate: oneMore, pod: nodes };
    case 'preferred':
      return {
        rollingUpdate: oneMore,
        pod: {
          ...nodes,
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 100, podAffinityTerm: { topologyKey: byNode, labelSelector } },
              ],
            },
          },
          ...spread,
        },
      };
    case 'required':
      return {
        // With a pod on every node there may be no place for one more before one is gone.
        rollingUpdate: { maxUnavailable: 1, maxSurge: 1 },
        pod: {
          ...nodes,
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: byNode, labelSelector }],
            },
          },
          ...spread,
        },
      };
  }
};

/** A new pod is ready before an old one goes. */
const oneMore = { maxUnavailable: 0, maxSurge: 1 };
