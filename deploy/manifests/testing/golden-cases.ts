import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Trust } from '../src/objects/trust.ts';
import { fixedTrust } from './fixed-trust.ts';

export interface GoldenCase {
  readonly values: WireObject;
  readonly trust: Trust;
}

/** Installations whose manifests are kept in ../golden, to be looked at when they change. */
export const goldenCases: Readonly<Record<string, GoldenCase>> = {
  default: { values: {}, trust: fixedTrust },
  'high-availability': { values: { highAvailability: true }, trust: fixedTrust },
  minimal: {
    values: {
      replicas: 1,
      podAntiAffinity: 'none',
      networkPolicies: false,
      metrics: { annotations: false },
      injector: { enabled: false },
    },
    trust: fixedTrust,
  },
  'everything-else': {
    values: {
      namespace: 'mesh-system',
      trustDomain: 'corp.example',
      clusterDomain: 'k8s.corp.example',
      clusterNetworks: '10.0.0.0/8,fd00::/8',
      defaultInboundPolicy: 'all-authenticated',
      ipv6: true,
      replicas: 1,
      podAntiAffinity: 'none',
      image: {
        name: 'registry.example:5000/mesh/gatehouse',
        version: `sha256:${'0f'.repeat(32)}`,
        pullPolicy: 'Always',
      },
      imagePullSecrets: ['registry'],
      resources: { requests: { cpu: '' }, limits: { memory: '512Mi' } },
      nodeSelector: { 'disk.example/kind': 'ssd' },
      tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'mesh', effect: 'NoSchedule' }],
      priorityClassName: 'system-cluster-critical',
      podLabels: { team: 'mesh' },
      podAnnotations: { 'example.com/note': 'yes' },
      metrics: { annotations: false, namespaces: ['monitoring'] },
      identity: {
        externalCA: true,
        issuer: { scheme: 'kubernetes.io/tls', issuanceLifetime: '12h' },
        tokenReviewer: 'jwks',
        env: { GATEHOUSE_REQUIRE_POD_BOUND_TOKEN: 'false', NODE_OPTIONS: '--max-old-space-size=256' },
      },
      policy: { replicas: 2, resources: { requests: { memory: '1Gi' } }, onStale: 'deny' },
      injector: { namespaces: 'claimed' },
      proxy: { logFormat: 'json' },
    },
    trust: { anchors: undefined, issuer: undefined },
  },
};
