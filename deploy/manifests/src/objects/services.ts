import type { Values } from '../values/value-fields.ts';
import { type ServiceFacts, selectorOf } from './control-plane.ts';
import type { KubeObject } from './kube-object.ts';

/**
 * The two headless Services of a service. Proxies resolve the first: it has the gRPC port alone, as linkerd2-proxy takes every port of
 * an SRV answer for an endpoint (design §15.11). By the second, replicas find each other and monitoring finds what to scrape;
 * pods that are not ready count there, since they have metrics and streams too.
 */
export const services = (facts: ServiceFacts, values: Values): readonly KubeObject[] => {
  const selector = selectorOf(facts);
  const service = (name: string, spec: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: values.namespace, labels: selector },
    spec: {
      clusterIP: 'None',
      ...(values.ipv6 ? { ipFamilyPolicy: 'PreferDualStack' } : {}),
      selector,
      ...spec,
    },
  });
  return [
    service(facts.headless, { ports: [{ name: 'grpc', port: facts.ports.grpc, targetPort: 'grpc' }] }),
    service(facts.admin, {
      publishNotReadyAddresses: true,
      ports: [{ name: 'admin', port: facts.ports.admin, targetPort: 'admin' }],
    }),
  ];
};
