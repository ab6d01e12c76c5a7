import type { WireObject } from '@gatehouse/testing/real-cluster';

const group = 'gateway.networking.k8s.io';

/** What the definition of Gateway API says of an HTTPRoute without rules. */
const everyRequest = [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }];

/**
 * Definitions of the routes of Gateway API that take any spec: what a cluster's own definitions would refuse is then up to the
 * two controllers, which must agree on it too.
 */
export const gatewayCrds: readonly WireObject[] = (
  [
    ['HTTPRoute', 'httproutes', ['v1', 'v1beta1'], { default: everyRequest }],
    ['GRPCRoute', 'grpcroutes', ['v1'], {}],
  ] as const
).map(([kind, plural, versions, absentRules]) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${plural}.${group}`,
    // Without it an API server takes no CRD of a group of Kubernetes.
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' },
  },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    versions: versions.map((name, at) => ({
      name,
      served: true,
      storage: at === 0,
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            spec: {
              type: 'object',
              'x-kubernetes-preserve-unknown-fields': true,
              properties: {
                rules: {
                  type: 'array',
                  items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  ...absentRules,
                },
              },
            },
            status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    })),
  },
}));
