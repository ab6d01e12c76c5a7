import type { WireObject } from '@gatehouse/testing/real-cluster';

/** What the rig asks of the API server in the control plane's namespace: what controllers, kubelets and `install` would do. */
export type ApiAsk =
  | { readonly kind: 'apply' | 'set-status' | 'remove'; readonly object: WireObject }
  /** A token as kubelet projects it: bound to the pod, for one audience. */
  | { readonly kind: 'pod-token'; readonly pod: WireObject; readonly audience: string }
  /** A kubeconfig with the token of a ServiceAccount, for the API server. */
  | { readonly kind: 'kubeconfig'; readonly namespace: string; readonly name: string };

export type ApiQuestion = { readonly id: number; readonly ask: ApiAsk };
export type ApiReply =
  | { readonly id: number; readonly answer: WireObject | string | null }
  | { readonly id: number; readonly error: string };
