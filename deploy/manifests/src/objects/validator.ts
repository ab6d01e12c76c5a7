import type { Values } from '../values/value-fields.ts';
import { webhookServiceName } from './injector.ts';
import { type KubeObject, partOf } from './kube-object.ts';

export const validatorName = 'gatehouse-validator';

/** What is judged before it is stored, by group. Routes of Gateway API are looked at only as far as they are for the mesh. */
const judged = {
  'policy.linkerd.io': [
    'authorizationpolicies',
    'egressnetworks',
    'httplocalratelimitpolicies',
    'httproutes',
    'meshtlsauthentications',
    'networkauthenticationpolicies',
    'networkauthentications',
    'serverauthorizations',
    'servers',
  ],
  'linkerd.io': ['serviceprofiles'],
  'gateway.networking.k8s.io': ['grpcroutes', 'httproutes', 'tcproutes', 'tlsroutes'],
} as const;

/**
 * The webhook that refuses policy objects that could not be read, and warns of what is surely wrong. While no replica answers
 * they are stored all the same: what cannot be read is rejected by policy itself, and opens nothing. A replica of policy appends
 * the CA, as for injection.
 */
export const validator = ({ namespace, injector }: Values): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: validatorName, labels: partOf },
  webhooks: [
    {
      name: 'policies.validator.gatehouse.dev',
      admissionReviewVersions: ['v1'],
      clientConfig: { service: { namespace, name: webhookServiceName, port: 443, path: '/validate' } },
      failurePolicy: 'Ignore',
      // Each version of an object is read as what it says it is.
      matchPolicy: 'Exact',
      rules: Object.entries(judged).map(([group, resources]) => ({
        apiGroups: [group],
        apiVersions: ['*'],
        operations: ['CREATE', 'UPDATE'],
        resources,
        scope: 'Namespaced',
      })),
      sideEffects: 'None',
      timeoutSeconds: injector.timeoutSeconds,
    },
  ],
});
