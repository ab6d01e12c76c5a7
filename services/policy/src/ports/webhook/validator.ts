import type { AdmissionRequest } from '@gatehouse/core/admission/review';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import type { Webhook } from '@gatehouse/platform/http/webhook-server';
import { kindOf, rowOf } from '@gatehouse/platform/kube/kind-table';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readObject } from '@gatehouse/platform/kube/read-object';
import {
  admitPolicy,
  type PolicyReviewFacts,
  type ReviewedObject,
} from '../../core/admission/admit-policy.ts';

export interface ValidatorOptions {
  readonly budgets: ObjectBudgets;
  readonly judge: PolicyReviewFacts['judge'];
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The webhook that is asked about policy objects before they are stored; nothing comes of a call but its answer. */
export const validator = ({ budgets, judge, now }: ValidatorOptions): Webhook => ({
  path: '/validate',
  admit: async (request) =>
    admitPolicy(request, { read: (asked) => readReviewed(asked, budgets, now()), judge }),
});

/** By the very door through which the object would come from the watch. */
const readReviewed = (request: AdmissionRequest, budgets: ObjectBudgets, nowMs: number): ReviewedObject => {
  const kind = kindOf(request.group, request.kind);
  if (kind === undefined || !isPolicy(kind)) return { kind: 'unknown' };
  const body = isWireObject(request.object) ? request.object : {};
  const read = readObject(kind, stored(body, request), budgets);
  if (read.outcome !== 'read') return { kind: 'unreadable', problems: read.problems };
  const { object } = read;
  return { kind: 'read', object: object.meta.createdAt > 0 ? object : bornAt(object, nowMs) };
};

const isPolicy = (kind: Kind): boolean => rowOf(kind).class === 'policy';

/** The names that the API server will give it, where it has not yet. */
const stored = (body: WireObject, { namespace, name }: AdmissionRequest): WireObject => {
  const metadata = isWireObject(body.metadata) ? body.metadata : {};
  const { generateName } = metadata;
  const given = name !== '' ? name : typeof generateName === 'string' ? `${generateName}xxxxx` : undefined;
  return {
    ...body,
    metadata: {
      ...metadata,
      ...(metadata.namespace === undefined && namespace !== '' ? { namespace } : {}),
      ...(metadata.name === undefined && given !== undefined ? { name: given } : {}),
    },
  };
};

/** What is not stored yet is younger than all that is. */
const bornAt = (object: KubeObject, createdAt: number): KubeObject => ({
  ...object,
  meta: { ...object.meta, createdAt },
});
