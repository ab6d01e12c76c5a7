import { isJsonObject } from '../json-object.ts';
import { type Parsed, type Problem, parsed } from '../problem.ts';

/** What an API server asks of a webhook (admission.k8s.io/v1), as far as ours look at it. */
export interface AdmissionRequest {
  /** Goes back with the answer. */
  readonly uid: string;
  readonly group: string;
  readonly kind: string;
  readonly operation: string;
  /** Empty for what is in no namespace. */
  readonly namespace: string;
  /** Empty where the API server has yet to make one up. */
  readonly name: string;
  readonly object: unknown;
  /** Nothing may come of it: no Event either. */
  readonly isDryRun: boolean;
}

/** What a webhook answers. */
export type Verdict =
  | { readonly kind: 'allowed'; readonly patch: readonly unknown[]; readonly warnings: readonly string[] }
  | { readonly kind: 'denied'; readonly message: string };

/** Longer is no uid: it is sent back as it is. */
const longestUid = 256;

/** Reads an AdmissionReview; any client that reaches the port may have written it. */
export const parseReview = (body: unknown): Parsed<AdmissionRequest> => {
  const problems: Problem[] = [];
  const review = isJsonObject(body) ? body : {};
  if (review.apiVersion !== 'admission.k8s.io/v1' || review.kind !== 'AdmissionReview')
    problems.push({
      field: '',
      found: 'the body is not an AdmissionReview of admission.k8s.io/v1',
      fix: 'send what an API server sends to webhooks',
    });
  const request = isJsonObject(review.request) ? review.request : {};
  const kind = isJsonObject(request.kind) ? request.kind : {};
  const text = (value: unknown, field: string, isNeeded: boolean): string => {
    const isText = typeof value === 'string' && value.length <= longestUid && (!isNeeded || value !== '');
    if (isText) return value;
    if (value !== undefined || isNeeded)
      problems.push({ field, found: 'is not text', fix: `write 1 to ${longestUid} characters` });
    return '';
  };
  const read: AdmissionRequest = {
    uid: text(request.uid, 'request.uid', true),
    group: text(kind.group, 'request.kind.group', false),
    kind: text(kind.kind, 'request.kind.kind', true),
    operation: text(request.operation, 'request.operation', true),
    namespace: text(request.namespace, 'request.namespace', false),
    name: text(request.name, 'request.name', false),
    object: request.object,
    isDryRun: request.dryRun === true,
  };
  return problems.length > 0 ? { ok: false, problems } : parsed(read);
};
