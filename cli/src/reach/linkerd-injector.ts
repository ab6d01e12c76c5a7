import { isWireObject } from '@gatehouse/platform/kube/parse/fields';

/** Whether a MutatingWebhookConfiguration is that of Linkerd's injector, `linkerd-proxy-injector-webhook-config` in its charts. */
export const isLinkerdInjector = (configuration: unknown): boolean => {
  const metadata = isWireObject(configuration) ? configuration.metadata : undefined;
  const name = isWireObject(metadata) ? metadata.name : undefined;
  return typeof name === 'string' && /^linkerd-.*injector/.test(name);
};

export const mutatingWebhooksPath = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
