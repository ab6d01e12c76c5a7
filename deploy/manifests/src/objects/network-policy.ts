import type { Values } from '../values/value-fields.ts';
import { type ServiceFacts, selectorOf } from './control-plane.ts';
import { servesWebhooks } from './injector.ts';
import { type KubeObject, partOf } from './kube-object.ts';

const namespaceIn = (names: readonly string[]): object => ({
  namespaceSelector: {
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }],
  },
});

/** With its protocol, which the API server would add: kubectl compares this list as a whole. */
const tcp = (port: string): object => ({ port, protocol: 'TCP' });

/**
 * What may reach the pods of a service: proxies of any namespace its gRPC port; each other, and what scrapes, the admin port; the
 * API server, which may be anywhere, the webhook. Kubelet's
 * probes come from the pod's own node, which no NetworkPolicy keeps out, and `kubectl port-forward` from inside the pod. What
 * goes out is not restricted: the API server's address is not known when the manifest is written.
 */
export const networkPolicy = (facts: ServiceFacts, values: Values): KubeObject => {
  const { namespaces } = values.metrics;
  const scrapers =
    namespaces.length === 0
      ? {}
      : { from: [{ podSelector: { matchLabels: partOf } }, namespaceIn(namespaces)] };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: facts.name, namespace: values.namespace, labels: selectorOf(facts) },
    spec: {
      podSelector: { matchLabels: selectorOf(facts) },
      policyTypes: ['Ingress'],
      ingress: [
        { ports: [tcp('grpc')] },
        { ports: [tcp('admin')], ...scrapers },
        ...(servesWebhooks(facts, values) ? [{ ports: [tcp('webhook')] }] : []),
      ],
    },
  };
};
