import { createHash } from 'node:crypto';
import type { Labels } from '@gatehouse/core/label-selector';
import type { WorkloadKind } from './workload.ts';

/** One of the pods that a controller makes. */
export interface MadePod {
  readonly kind: WorkloadKind;
  /** The workload's and the pod's own. */
  readonly workload: string;
  readonly name: string;
  /** Its number; of a StatefulSet counted from `spec.ordinals.start`. */
  readonly number: number;
  /** What the template was, by `hashTemplate`. */
  readonly templateHash: string;
}

/**
 * The labels that Kubernetes' controllers put on the pods that they make, for selectors and Services that rely on them: one
 * member of a StatefulSet is chosen by its name or number. The hashes of a template are other ones than a cluster's, which
 * nobody can write into a manifest beforehand; they change when the template does, and are the same in every process.
 */
export const controllerLabels = ({ kind, workload, name, number, templateHash }: MadePod): Labels => {
  switch (kind) {
    case 'Deployment':
      return { 'pod-template-hash': templateHash };
    case 'StatefulSet':
      return {
        'statefulset.kubernetes.io/pod-name': name,
        'apps.kubernetes.io/pod-index': String(number),
        'controller-revision-hash': `${workload}-${templateHash}`,
      };
    case 'DaemonSet':
      return { 'controller-revision-hash': templateHash, 'pod-template-generation': '1' };
  }
};

export const hashTemplate = (template: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(template) ?? '')
    .digest('hex')
    .slice(0, 10);
