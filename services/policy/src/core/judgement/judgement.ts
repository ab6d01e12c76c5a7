import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { JudgedSelection } from '../answers/judge-selection.ts';
import type { ObjectRef } from '../inbound/model.ts';
import { type PolicyReason, reasonTexts } from './reasons.ts';

/** How much of what an object says is in force (design §15.10), each with its meaning. */
export const policyStates = {
  Enforced: 'in force on everything that it selects',
  PartlyEnforced: 'not in force on some of its pods or ports, or some of what it grants is granted to nobody',
  MatchesNothing: 'there is nothing that it is for, or a reference leads nowhere, so that it does nothing',
  Open: 'no proxy enforces it, or a Server admits more: what it selects is open',
  Rejected: 'could not be read: it grants nothing, and closes what it still names',
  Audited: 'mode Audit: it decides nothing; `gatehouse authz --audit` shows what it would do',
} as const;
export type PolicyState = keyof typeof policyStates;

/** Objects that are judged: all that decide about inbound traffic. */
export type Judged =
  | KubeObject<'NetworkAuthenticationPolicy'>
  | KubeObject<'Server'>
  | KubeObject<'AuthorizationPolicy'>
  | KubeObject<'ServerAuthorization'>
  | KubeObject<'MeshTLSAuthentication'>
  | KubeObject<'NetworkAuthentication'>
  | KubeObject<'HTTPRoute'>
  | KubeObject<'GatewayHTTPRoute'>
  | KubeObject<'GRPCRoute'>
  | KubeObject<'HTTPLocalRateLimitPolicy'>;
export type JudgedKind = Judged['kind'];

export const judgedKinds = [
  'NetworkAuthenticationPolicy',
  'Server',
  'AuthorizationPolicy',
  'ServerAuthorization',
  'MeshTLSAuthentication',
  'NetworkAuthentication',
  'HTTPRoute',
  'GatewayHTTPRoute',
  'GRPCRoute',
  'HTTPLocalRateLimitPolicy',
] as const satisfies readonly JudgedKind[];

/** One thing that the author of an object should know. */
export interface PolicyFinding {
  readonly reason: PolicyReason;
  /** The path of the field that says so, such as `spec.sources[0].podSelector`; '' where no single one does. */
  readonly field: string;
  /** What it is about beside the object itself, such as a pod without a proxy: the first few. */
  readonly about: readonly ObjectRef[];
  /** One or more sentences that name everything they need. */
  readonly message: string;
  /** What to do, as a sentence. */
  readonly fix: string;
}

/** What became of one object, as REST, command line, log, metrics, admission and statuses say it. */
export interface Judgement {
  readonly state: PolicyState;
  /** Of those that select pods: which, and where they have no effect. */
  readonly selection: JudgedSelection | undefined;
  /** Of a NetworkAuthenticationPolicy: how many pods its sources select. */
  readonly selectedSources: number | undefined;
  readonly findings: readonly PolicyFinding[];
}

/** A finding with the fix that its reason has, unless a better one is known. */
export const found = (
  reason: PolicyReason,
  message: string,
  more: Partial<Pick<PolicyFinding, 'field' | 'about' | 'fix'>> = {},
): PolicyFinding => ({ reason, field: '', about: [], message, fix: reasonTexts[reason].fix, ...more });

/** So many objects are named in a sentence. */
const mostNamed = 3;

/** `demo/a, demo/b and 7 more`. */
export const someOf = (names: readonly string[], count = names.length): string => {
  if (count <= mostNamed) return names.slice(0, count).join(', ');
  const named = names.slice(0, mostNamed - 1);
  return `${named.join(', ')} and ${count - named.length} more`;
};

/** So many objects a finding names for programs. */
const mostAbout = 10;

/** Pods by their `namespace/name`. */
export const podRefs = (names: readonly string[]): readonly ObjectRef[] =>
  names.slice(0, mostAbout).map((text) => {
    const [namespace = '', name = ''] = text.split('/');
    return { kind: 'Pod', namespace, name };
  });
