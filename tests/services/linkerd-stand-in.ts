import { type AWebhook, startWebhook } from '@gatehouse/testing/api-server/a-webhook';
import type { WireObject } from '@gatehouse/testing/real-cluster';

/** Kinds that Linkerd's charts install, with the label `linkerd.io/control-plane-ns` on each. */
export const linkerdKinds = ['servers.policy.linkerd.io', 'serviceprofiles.linkerd.io'] as const;

/**
 * Linkerd's injector as far as others can tell: a pod that has a proxy is left as it is, no matter who put it there
 * (linkerd2 pkg/healthcheck/sidecar.go, HasExistingSidecars); any other pod gets one. Its namespaces all ask for it.
 */
export const startLinkerdInjector = (): Promise<AWebhook> =>
  startWebhook(({ object }) => {
    const { spec } = object as { readonly spec: { readonly initContainers?: readonly WireObject[] } };
    if (spec.initContainers?.some(({ name }) => name === 'linkerd-proxy') === true) return { allowed: true };
    const proxy = { name: 'linkerd-proxy', image: 'linkerd/proxy', restartPolicy: 'Always' };
    const patch = [
      { op: 'add', path: '/metadata/labels/linkerd.io~1control-plane-ns', value: 'linkerd' },
      { op: 'add', path: '/spec/initContainers', value: [proxy] },
    ];
    return {
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
    };
  });

/** The configuration that Linkerd's chart has for it. */
export const linkerdWebhook = ({ clientConfig }: AWebhook): WireObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: {
    name: 'linkerd-proxy-injector-webhook-config',
    labels: {
      'linkerd.io/control-plane-component': 'proxy-injector',
      'linkerd.io/control-plane-ns': 'linkerd',
    },
  },
  webhooks: [
    {
      name: 'linkerd-proxy-injector.linkerd.io',
      admissionReviewVersions: ['v1'],
      clientConfig,
      failurePolicy: 'Ignore',
      namespaceSelector: {
        matchExpressions: [
          { key: 'config.linkerd.io/admission-webhooks', operator: 'NotIn', values: ['disabled'] },
          { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'cert-manager'] },
        ],
      },
      rules: [
        {
          operations: ['CREATE'],
          apiGroups: [''],
          apiVersions: ['v1'],
          resources: ['pods'],
          scope: 'Namespaced',
        },
      ],
      sideEffects: 'None',
    },
  ],
});
