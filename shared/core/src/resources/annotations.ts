import { opaquePortsAnnotation } from '../mesh/opaque-port.ts';
import { skipInboundPortsAnnotation } from '../mesh/proxy-bypass.ts';

export const defaultInboundPolicyAnnotation = 'config.linkerd.io/default-inbound-policy';
export const requireIdentityAnnotation = 'config.linkerd.io/proxy-require-identity-inbound-ports';
export const injectAnnotation = 'linkerd.io/inject';

/** The annotations that a service reads; parsing drops all others at the door. */
export const readAnnotations = [
  defaultInboundPolicyAnnotation,
  opaquePortsAnnotation,
  requireIdentityAnnotation,
  skipInboundPortsAnnotation,
  injectAnnotation,
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
