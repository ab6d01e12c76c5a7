import type { Values } from '../values/value-fields.ts';
import { type KubeObject, partOf } from './kube-object.ts';

const restricted = 'restricted';

/** The control plane's own namespace: Pod Security admission holds its pods to the strictest profile; no pod there is injected. */
export const namespace = ({ namespace: name }: Values): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: {
      ...partOf,
      'config.linkerd.io/admission-webhooks': 'disabled',
      'pod-security.kubernetes.io/enforce': restricted,
      'pod-security.kubernetes.io/audit': restricted,
      'pod-security.kubernetes.io/warn': restricted,
    },
    annotations: { 'linkerd.io/inject': 'disabled' },
  },
});
