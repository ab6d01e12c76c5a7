import type { Manifest } from '../rig/manifests.ts';

/** The seed's kind: who may talk to the pods that the target selects. */
export const networkAuthenticationPolicy = (
  namespace: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Manifest => ({
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: { namespace, name },
  spec,
});

export const app = (name: string) => ({ matchLabels: { app: name } });

/** Pods labelled `from` may use these ports of pods labelled `to`. */
export const allow = (
  namespace: string,
  {
    from,
    to,
    ports,
    rules,
  }: { from: string; to: string; ports: readonly (number | string)[]; rules?: unknown },
): Manifest =>
  networkAuthenticationPolicy(namespace, `${from}-to-${to}-${ports.join('-')}`, {
    target: { selector: app(to) },
    ports: ports.map((port) => ({ port })),
    sources: [{ podSelector: app(from) }],
    ...(rules === undefined ? {} : { rules }),
  });

export interface ServiceAddress {
  readonly clusterIP: string;
  /** Its address of the other family, when it has both. */
  readonly also?: string;
}

export const service = (
  namespace: string,
  name: string,
  { clusterIP, also, ports }: ServiceAddress & { readonly ports: Readonly<Record<string, number>> },
): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name },
  spec: {
    clusterIP,
    ...(also === undefined ? {} : { clusterIPs: [clusterIP, also], ipFamilyPolicy: 'RequireDualStack' }),
    selector: { app: name },
    ports: Object.entries(ports).map(([port, number]) => ({ name: port, port: number, targetPort: port })),
  },
});
