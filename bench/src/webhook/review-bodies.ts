import type { Kind } from '@gatehouse/core/resources/kinds';
import { rowOf } from '@gatehouse/platform/kube/kind-table';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { apps } from './one-of-many.ts';

const labels = (app: number): object => ({ matchLabels: { app: `app-${app}` } });
const targetRef = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };

/** What people apply, for one application: most of it good, some of it with warnings, some of it refused. */
const specs = (app: number): readonly (readonly [Kind, name: string, spec: object])[] => [
  [
    'NetworkAuthenticationPolicy',
    `to-app-${app}`,
    {
      target: { selector: labels(app) },
      ports: [{ port: 8080 }],
      sources: [{ podSelector: labels(app + 1) }],
    },
  ],
  [
    'NetworkAuthenticationPolicy',
    'new',
    {
      target: { selector: labels(app) },
      sources: [{ namespaceSelector: {} }],
      rules: [{ methods: ['GET'], paths: [{ type: 'PathPrefix', value: '/api' }] }],
    },
  ],
  ['Server', 'web', { podSelector: labels(app), port: 8443 }],
  [
    'AuthorizationPolicy',
    'web',
    { targetRef, requiredAuthenticationRefs: [{ kind: 'ServiceAccount', name: `client-${app}` }] },
  ],
  ['HTTPRoute', 'web', { parentRefs: [targetRef], rules: [{ matches: [{ path: { value: '/api' } }] }] }],
  ['NetworkAuthenticationPolicy', 'refused', { target: { selector: labels(app) }, source: [] }],
  ...(app % 10 === 0 ? [wholeNamespace] : []),
];

/** The dearest to judge: all pods of the namespace may call each other. */
const wholeNamespace = [
  'NetworkAuthenticationPolicy',
  'all',
  { target: { selector: {} }, ports: [{ port: 9000 }], sources: [{ podSelector: {} }] },
] as const;

/** The bodies of AdmissionReviews as an API server sends them, a few for each application. */
export const reviewBodies = (): readonly string[] =>
  Array.from({ length: apps }, (_, app) =>
    specs(app).map(([kind, name, spec]) => {
      const { group, wireKind } = rowOf(kind);
      const object = aWireObject(kind, { name, spec });
      const request = {
        uid: `0b0d3b5c-0000-4000-8000-${String(app).padStart(12, '0')}`,
        kind: { group, version: 'v1', kind: wireKind },
        operation: 'CREATE',
        namespace: 'demo',
        name,
        userInfo: { username: 'system:serviceaccount:ci:deployer', groups: ['system:authenticated'] },
        object,
        oldObject: null,
        dryRun: false,
      };
      return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
    }),
  ).flat();
