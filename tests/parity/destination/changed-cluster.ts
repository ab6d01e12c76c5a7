import type { ClusterPlan } from './random-cluster.ts';

/**
 * The cluster of `plan` after a change to `wish`, in what Linkerd follows on streams that are open: readiness, slices and their
 * hints, `internalTrafficPolicy`, opaque ports of Services, Servers that come, and ServiceProfiles. Seen not to be followed,
 * by new streams neither while old ones are open: a pod that comes to an address that is asked for already, other annotations of a
 * pod or an ExternalWorkload, another target port of a Service, a Server that goes; and its process ends over a slice that names an
 * instance whose pod is gone.
 */
export const changedTo = (plan: ClusterPlan, wish: ClusterPlan): ClusterPlan => ({
  pods: plan.pods.map((pod, index) => pod && { ...pod, ready: wish.pods[index]?.ready ?? pod.ready }),
  services: plan.services.map((service, index) => {
    const wished = wish.services[index];
    if (service === undefined || wished === undefined) return service;
    const { opaque, local, hints, bare, external } = wished;
    return { ...service, opaque, local, hints, bare, external };
  }),
  server: plan.server ?? wish.server,
  external: plan.external,
  profiles: wish.profiles,
});
