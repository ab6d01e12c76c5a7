import type { Labels } from '@gatehouse/core/label-selector';
import type { PodSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { intern } from '../intern.ts';
import type { Fields } from './fields.ts';

const templateHashLabel = 'pod-template-hash';

/**
 * The controller a person would name: a ReplicaSet whose name ends in the pod's template hash was made by the
 * Deployment before the hash. Undefined for a bare pod.
 */
export const readOwner = (metadata: Fields, labels: Labels): PodSpec['owner'] => {
  const [owner] =
    metadata.eachFields('ownerReferences', (reference) => {
      const kind = reference.text('kind');
      const name = reference.text('name');
      return reference.flag('controller') === true && kind !== undefined && name !== undefined
        ? { kind: intern(kind), name: intern(name) }
        : undefined;
    }) ?? [];
  const suffix = `-${labels[templateHashLabel]}`;
  return owner?.kind === 'ReplicaSet' && owner.name.endsWith(suffix)
    ? { kind: 'Deployment', name: intern(owner.name.slice(0, -suffix.length)) }
    : owner;
};
