import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { invalid } from './api-status.ts';
import { fieldsOf, metaOf } from './object-meta.ts';
import { apiVersionOf } from './resource-types.ts';

export const scaleGroup = 'autoscaling';
export const scaleVersion = 'v1';
export const scaleKind = 'Scale';

/** A workload as those see it who only count its pods: kubectl scale and autoscalers. */
export const scaleOf = (workload: WireObject): WireObject => {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metaOf(workload);
  const { replicas = 1, selector } = fieldsOf(workload.spec);
  const { replicas: running = 0 } = fieldsOf(workload.status);
  return {
    kind: scaleKind,
    apiVersion: apiVersionOf(scaleGroup, scaleVersion),
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: running, selector: printSelector(fieldsOf(selector)) },
  };
};

/** The workload with the number of a Scale, whose version and uid it must still have. Throws a 422 for what is no number of pods. */
export const scaled = (workload: WireObject, scale: WireObject): WireObject => {
  const { name = '' } = metaOf(workload);
  const { replicas } = fieldsOf(scale.spec);
  if (!Number.isInteger(replicas) || Number(replicas) < 0 || Number(replicas) > mostReplicas)
    throw invalid({ group: scaleGroup, kind: scaleKind }, name, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.replicas',
        message: `Invalid value: ${JSON.stringify(replicas)}: must be a whole number from 0 to ${mostReplicas}`,
      },
    ]);
  const { uid, resourceVersion } = metaOf(scale);
  const metadata = { ...metaOf(workload), uid, resourceVersion };
  return { ...workload, metadata, spec: { ...fieldsOf(workload.spec), replicas } };
};

/** More pods than a folder's workload may have are an accident here, and each is an object. */
const mostReplicas = 10_000;

const printSelector = ({ matchLabels }: WireObject): string =>
  Object.entries(fieldsOf(matchLabels))
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
