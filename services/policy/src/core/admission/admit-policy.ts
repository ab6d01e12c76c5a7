import type { AdmissionRequest, Verdict } from '@gatehouse/core/admission/review';
import { printable } from '@gatehouse/core/foreign-text';
import { isJsonObject } from '@gatehouse/core/json-object';
import { type Problem, printProblem } from '@gatehouse/core/problem';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import { isJudged } from '../judgement/judge.ts';
import type { Judged, Judgement } from '../judgement/judgement.ts';
import { passingReasons } from '../judgement/reasons.ts';

/** What came of reading an object under review. */
export type ReviewedObject =
  | { readonly kind: 'read'; readonly object: KubeObject }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }
  /** It is of no kind that is read here. */
  | { readonly kind: 'unknown' };

export interface PolicyReviewFacts {
  readonly read: (request: AdmissionRequest) => ReviewedObject;
  /** What would become of it; undefined while the cluster is not known, and for what is not judged. */
  readonly judge: (object: Judged) => Judgement | undefined;
}

const allowed = (...warnings: readonly string[]): Verdict => ({ kind: 'allowed', patch: [], warnings });

/**
 * Whether a policy object may be stored: one that could not be read would be rejected, and close what it names. What is legal
 * but surely wrong is warned about, by the judgement that it would get.
 */
export const admitPolicy = (request: AdmissionRequest, facts: PolicyReviewFacts): Verdict => {
  const { operation, object } = request;
  if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isJsonObject(object)) return allowed();
  // A client that removes a finalizer from a deleted object must not have to correct it first.
  if (isJsonObject(object.metadata) && object.metadata.deletionTimestamp !== undefined) return allowed();
  const reviewed = facts.read(request);
  switch (reviewed.kind) {
    case 'unknown': {
      const what = printable(`${request.kind}.${request.group}`);
      return allowed(`Gatehouse does not know ${what}: take it out of the rules of its webhook`);
    }
    case 'unreadable':
      return isForMesh(request) ? denied(request, reviewed.problems) : allowed();
    case 'read': {
      const { spec } = reviewed.object;
      if (isRejected(spec)) return isForMesh(request) ? denied(request, spec.rejected) : allowed();
      return allowed(...warningsOf(reviewed.object, facts));
    }
  }
};

/** So many problems and warnings are told; the API server cuts what is longer. */
const most = { problems: 20, warnings: 8, warningLength: 250 } as const;

const denied = ({ kind, namespace, name }: AdmissionRequest, problems: readonly Problem[]): Verdict => {
  const more = problems.length - most.problems;
  const said = problems.slice(0, most.problems).map(printProblem).join('; ');
  const what = printable(`${kind} ${namespace}/${name}`);
  return { kind: 'denied', message: `${what}: ${said}${more > 0 ? `; and ${more} more problems` : ''}` };
};

const gateway = 'gateway.networking.k8s.io';
const ours = 'policy.linkerd.io';

/** A route of Gateway API may be for another implementation, which reads more than we do. */
const isForMesh = ({ group, object }: AdmissionRequest): boolean => {
  if (group !== gateway) return true;
  const spec = isJsonObject(object) && isJsonObject(object.spec) ? object.spec : {};
  const parents = Array.isArray(spec.parentRefs) ? spec.parentRefs : [];
  return parents.some((parent) => isJsonObject(parent) && parent.group === ours);
};

const warningsOf = (object: KubeObject, { judge }: PolicyReviewFacts): readonly string[] => {
  const found = isJudged(object) ? (judge(object)?.findings ?? []) : [];
  const lasting = found.filter(({ reason }) => !passingReasons.has(reason));
  const told = lasting.map(({ field, message, fix }) => {
    const said = `${field === '' ? '' : `${field}: `}${message}`;
    const whole = `${said} ${fix}`;
    return whole.length <= most.warningLength ? whole : printable(said, most.warningLength);
  });
  const all = [...told, ...headerWarnings(object)];
  const more = all.length - most.warnings;
  return [
    ...all.slice(0, most.warnings),
    ...(more > 0 ? [`${more} more findings: \`gatehouse lint\` tells all`] : []),
  ];
};

/** A client writes its headers itself. */
const headerWarnings = (object: KubeObject): readonly string[] => {
  if (object.kind !== 'NetworkAuthenticationPolicy') return [];
  const { spec } = object as KubeObject<'NetworkAuthenticationPolicy'>;
  if (isRejected(spec)) return [];
  const at = spec.rules?.findIndex(({ headers = [] }) => headers.length > 0) ?? -1;
  return at < 0
    ? []
    : [
        `spec.rules[${at}].headers: clients write their headers themselves, so they prove nothing: name in \`sources\` the clients that a rule admits`,
      ];
};
