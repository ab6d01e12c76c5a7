import { isDeepStrictEqual } from 'node:util';
import { everything } from '@gatehouse/core/label-selector';
import type { Problem } from '@gatehouse/core/problem';
import { defaultInboundPolicyAnnotation } from '@gatehouse/core/resources/annotations';
import { isRejected, type KubeObject, type ObjectMeta, type Rejected } from '@gatehouse/core/resources/kinds';

/** Several manifests' copies of one object, in the order of paths and then of documents; never empty. */
export interface Copies<T> {
  readonly first: T;
  readonly others: readonly T[];
}

export const groupCopies = <T>(all: readonly T[], keyOf: (each: T) => string): readonly Copies<T>[] => {
  const groups = new Map<string, { readonly first: T; readonly others: T[] }>();
  for (const each of all) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: each, others: [] });
    else group.others.push(each);
  }
  return [...groups.values()];
};

/** The first copy's metadata; a default policy that the copies disagree about is deny, as nobody knows which is meant. */
export const mergeMeta = (first: ObjectMeta, others: readonly ObjectMeta[]): ObjectMeta => {
  const policy = first.annotations[defaultInboundPolicyAnnotation];
  return others.every(({ annotations }) => annotations[defaultInboundPolicyAnnotation] === policy)
    ? first
    : { ...first, annotations: { ...first.annotations, [defaultInboundPolicyAnnotation]: 'deny' } };
};

const unionOf = (routes: readonly Rejected['attachedTo'][]): Rejected['attachedTo'] => {
  const known = routes.filter((each) => each !== undefined);
  if (known.length === 0) return undefined;
  return known.includes('all') ? 'all' : [...new Set(known.flat())].sort();
};

/**
 * Several copies of a policy object as one rejected object: it closes what they agree to close, else all of their
 * namespace, since nobody knows which of them is meant.
 */
export const rejectCopies = ({ first, others }: Copies<KubeObject>, problem: Problem): KubeObject => {
  const specs = [first, ...others].map(({ spec }) => spec).filter(isRejected);
  const [closes] = specs.map((spec) => spec.closes);
  const agree = closes !== undefined && specs.every((spec) => isDeepStrictEqual(spec.closes, closes));
  const attachedTo = unionOf(specs.map((spec) => spec.attachedTo));
  const spec: Rejected = {
    rejected: [problem],
    closes: agree ? closes : { selector: everything, ports: 'all' },
    ...(attachedTo === undefined ? {} : { attachedTo }),
  };
  return { ...first, spec };
};
