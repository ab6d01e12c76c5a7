import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { conflict } from './api-status.ts';
import { fieldsOf, metaOf, textOf } from './object-meta.ts';
import type { ResourceRequest } from './resource-request.ts';

/** The preconditions of a delete: this life of the name, this version of it. */
export const checkDelete = (request: ResourceRequest, options: WireObject, current: WireObject): void => {
  const { uid, resourceVersion } = fieldsOf(options.preconditions);
  const meta = metaOf(current);
  if (uid !== undefined && uid !== meta.uid)
    throw conflict(
      request.type,
      request.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${meta.uid}`,
    );
  if (resourceVersion !== undefined && resourceVersion !== meta.resourceVersion)
    throw conflict(
      request.type,
      request.name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${meta.resourceVersion}`,
    );
};

const defaultGraceSeconds = 30;

/** The seconds a pod is given to end. One that was never scheduled, or has ended, needs none. */
export const graceOf = (request: ResourceRequest, options: WireObject, pod: WireObject): number => {
  const spec = fieldsOf(pod.spec);
  const phase = textOf(fieldsOf(pod.status).phase);
  if (textOf(spec.nodeName) === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const asked = options.gracePeriodSeconds ?? request.query.get('gracePeriodSeconds') ?? undefined;
  const seconds = Number(asked ?? spec.terminationGracePeriodSeconds ?? defaultGraceSeconds);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
};
