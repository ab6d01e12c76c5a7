import { claimLabel } from '@gatehouse/core/mesh/injection';
import type { Values } from '../values/value-fields.ts';
import { controlPlane, type ServiceFacts, selectorOf } from './control-plane.ts';
import { type KubeObject, partOf } from './kube-object.ts';

export const webhookServiceName = 'gatehouse-webhook';
export const injectorName = 'gatehouse-injector';

/** Where the policy service serves admission reviews, GATEHOUSE_WEBHOOK_ADDR's default. */
export const webhookPort = 9443;

/** Whether the pods of this service listen for admission reviews. */
export const servesWebhooks = ({ service }: ServiceFacts, values: Values): boolean =>
  service === 'policy' && values.injector.enabled;

/** In both forms of the configuration's webhooks: where pods are never injected. */
const optedOut = { key: 'config.linkerd.io/admission-webhooks', operator: 'NotIn', values: ['disabled'] };

/** Namespaces that asked for injection with a label, as `gatehouse inject --enable-per-namespace-defaults` writes it. */
const asked = { key: 'linkerd.io/inject', values: ['enabled'] };

/**
 * The webhook that injects proxies into new pods. A namespace with the label gets no pod without proxy, even while no replica
 * answers; elsewhere a pod that is annotated by itself is worth less than the start of all others. Where Linkerd injects too, ours is
 * asked first, as its name comes first: it is asked about claimed namespaces alone, and Linkerd leaves pods that have a proxy. The CA is no field here: a replica
 * of policy appends it, and what a manifest does not name `kubectl apply` does not take away.
 */
export const injector = (values: Values): readonly KubeObject[] => {
  const { namespace } = values;
  const policy = controlPlane.find(({ service }) => service === 'policy');
  if (policy === undefined) throw new TypeError('policy is a service');
  const claimed = { key: claimLabel, operator: 'In', values: [namespace] };
  const owned = values.injector.namespaces === 'claimed' ? [claimed] : [];
  const notHere = {
    key: 'kubernetes.io/metadata.name',
    operator: 'NotIn',
    values: [...new Set([namespace, 'kube-system'])],
  };
  const webhook = (
    name: string,
    failurePolicy: 'Fail' | 'Ignore',
    selected: readonly object[],
    resources: readonly ('pods' | 'services')[],
  ): object => ({
    name: `${name}.injector.gatehouse.dev`,
    admissionReviewVersions: ['v1'],
    clientConfig: { service: { namespace, name: webhookServiceName, port: 443, path: '/inject' } },
    failurePolicy,
    matchPolicy: 'Equivalent',
    namespaceSelector: { matchExpressions: [...selected, ...owned, notHere, optedOut] },
    objectSelector: {},
    // A pod that was injected is left alone, so another call would only cost time.
    reinvocationPolicy: 'Never',
    rules: [
      {
        apiGroups: [''],
        apiVersions: ['v1'],
        operations: ['CREATE'],
        resources,
        scope: 'Namespaced',
      },
    ],
    // Events, and none of a dry run.
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds: values.injector.timeoutSeconds,
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: webhookServiceName, namespace, labels: selectorOf(policy) },
      spec: {
        type: 'ClusterIP',
        ...(values.ipv6 ? { ipFamilyPolicy: 'PreferDualStack' } : {}),
        selector: selectorOf(policy),
        ports: [{ name: 'webhook', port: 443, targetPort: 'webhook' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: injectorName, labels: partOf },
      webhooks: [
        webhook('labelled', 'Fail', [{ ...asked, operator: 'In' }], ['pods']),
        webhook('others', 'Ignore', [{ ...asked, operator: 'NotIn' }], ['pods']),
        // They get the opaque ports of their namespace, which clients read from them; a Service without is better than none.
        webhook('services', 'Ignore', [], ['services']),
      ],
    },
  ];
};
