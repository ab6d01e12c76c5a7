/** The annotations that a service reads; parsing drops all others at the door. */
export const readAnnotations = [
  'config.linkerd.io/default-inbound-policy',
  'config.linkerd.io/opaque-ports',
  'config.linkerd.io/proxy-require-identity-inbound-ports',
  'config.linkerd.io/skip-inbound-ports',
  'linkerd.io/inject',
] as const;

/** Families of annotations that tune outbound routing, such as `retry.linkerd.io/http`. */
export const readAnnotationFamilies = [
  'balancer.linkerd.io/',
  'balancer.alpha.linkerd.io/',
  'retry.linkerd.io/',
  'timeout.linkerd.io/',
] as const;

export const isReadAnnotation = (name: string): boolean =>
  (readAnnotations as readonly string[]).includes(name) ||
  readAnnotationFamilies.some((family) => name.startsWith(family));

export const defaultInboundPolicyAnnotation = 'config.linkerd.io/default-inbound-policy';
export const injectAnnotation = 'linkerd.io/inject';
