import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { RouteObject } from '../inbound/attached-routes.ts';
import type { Judged, Judgement, PolicyFinding } from '../judgement/judgement.ts';
import type { PolicyReason } from '../judgement/reasons.ts';
import { lessensEffect } from '../judgement/row-findings.ts';
import type { RolloutState } from '../rollout/judge-rollout.ts';

/** One aspect of an object, without the times that depend on what was said before. */
export interface OwnCondition {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Effective' | 'Programmed';
  readonly status: 'True' | 'False' | 'Unknown';
  /** One CamelCase word. */
  readonly reason: string;
  readonly message: string;
}

/** What we say in the status of an object; whatever others say stays. */
export type OwnStatus =
  | {
      readonly kind: 'conditions';
      readonly conditions: readonly OwnCondition[];
      /** Conditions of ours of which nothing is known now: they stay as they are. */
      readonly keeps?: readonly OwnCondition['type'][];
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** What each Server says of a route, by the Server's name. */
  | { readonly kind: 'parents'; readonly parents: Readonly<Record<string, OwnCondition>> };

/** The kinds that have a status for us to write; Servers and authorizations of Linkerd have none. */
export const statusKinds = [
  'NetworkAuthenticationPolicy',
  'HTTPLocalRateLimitPolicy',
  'HTTPRoute',
  'GatewayHTTPRoute',
  'GRPCRoute',
] as const satisfies readonly Judged['kind'][];
export type StatusKind = (typeof statusKinds)[number];

const kinds: ReadonlySet<Judged['kind']> = new Set(statusKinds);

export const hasStatus = (object: Judged): object is Extract<Judged, { kind: StatusKind }> =>
  kinds.has(object.kind);

/**
 * The status that a judgement comes to; undefined where there is nothing to say. Of a route that is for no Server nothing is
 * judged, and what was said when it was for one has to go.
 */
export const ownStatus = (
  object: Extract<Judged, { kind: StatusKind }>,
  judgement: Judgement | undefined,
  { hasServer, programmed }: KnownBeside,
): OwnStatus | undefined => {
  switch (object.kind) {
    case 'NetworkAuthenticationPolicy':
      return judgement && networkPolicyStatus(judgement, programmed);
    case 'HTTPLocalRateLimitPolicy':
      return judgement && rateLimitStatus(object, judgement);
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute':
      return { kind: 'parents', parents: judgement ? parentsOf(object, judgement, hasServer) : {} };
  }
};

export interface KnownBeside {
  /** Whether a Server of the object's namespace exists. */
  readonly hasServer: (name: string) => boolean;
  /** On how many proxies a NetworkAuthenticationPolicy is in force; undefined while it is not known. */
  readonly programmed?: { readonly state: RolloutState; readonly message: string } | undefined;
}

const networkPolicyStatus = (judgement: Judgement, programmed: KnownBeside['programmed']): OwnStatus => {
  const { selection, selectedSources = 0 } = judgement;
  return {
    kind: 'conditions',
    conditions: [
      accepted(judgement),
      resolvedRefs(judgement),
      effective(judgement),
      ...(programmed === undefined ? [] : [programmedCondition(programmed)]),
    ],
    ...(programmed === undefined ? { keeps: ['Programmed'] as const } : {}),
    fields: { matchedPods: selection?.count ?? 0, matchedSources: selectedSources },
  };
};

const programmedStatuses = {
  Programmed: 'True',
  InProgress: 'False',
  NothingToProgram: 'False',
  Unknown: 'Unknown',
} as const satisfies Record<RolloutState, OwnCondition['status']>;

const programmedCondition = ({ state, message }: NonNullable<KnownBeside['programmed']>): OwnCondition => ({
  type: 'Programmed',
  status: programmedStatuses[state],
  reason: state,
  message: shortened(message),
});

const accepted = ({ state, findings }: Judgement): OwnCondition =>
  state === 'Rejected'
    ? { type: 'Accepted', status: 'False', reason: 'Rejected', message: printed(findings) }
    : { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' };

const unresolved: ReadonlySet<PolicyReason> = new Set(['NoSuchNamespace', 'NoSuchServiceAccount']);

const resolvedRefs = ({ findings }: Judgement): OwnCondition => {
  const missing = findings.filter(({ reason }) => unresolved.has(reason));
  const [first] = missing;
  return first === undefined
    ? { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '' }
    : { type: 'ResolvedRefs', status: 'False', reason: first.reason, message: printed(missing) };
};

/** `True` only where all that the policy says is in force on everything that it selects. */
const effective = (judgement: Judgement): OwnCondition => {
  const { state, findings } = judgement;
  if (state === 'Enforced')
    return { type: 'Effective', status: 'True', reason: state, message: printed(findings) };
  return {
    type: 'Effective',
    status: 'False',
    reason: reasonOf(judgement),
    message: printed(findings),
  };
};

/** What keeps the policy from being in force (design §6.1): findings about its sources do not. */
const reasonOf = ({ state, selection, findings }: Judgement): string => {
  if (state === 'Rejected' || state === 'Audited') return state;
  if (findings.some(({ reason }) => reason === 'OpenedByServer')) return 'OpenedByServer';
  if (state === 'MatchesNothing') return findings[0]?.reason ?? state;
  if (selection !== undefined && selection.notEnforcedCount > 0) return 'Unenforced';
  return findings.find(({ reason }) => lessensEffect(reason))?.reason ?? state;
};

/** As Linkerd writes it (semantics §2.12), so that what reads one reads the other. */
const rateLimitStatus = (
  { spec }: KubeObject<'HTTPLocalRateLimitPolicy'>,
  judgement: Judgement,
): OwnStatus => {
  const server = isRejected(spec) ? '' : spec.server;
  const targetRef = { group: 'policy.linkerd.io', kind: 'Server', name: server };
  return { kind: 'conditions', conditions: [rateLimitAccepted(judgement)], fields: { targetRef } };
};

const rateLimitAccepted = (judgement: Judgement): OwnCondition => {
  const { findings } = judgement;
  const said = (reason: PolicyReason): PolicyFinding | undefined =>
    findings.find((finding) => finding.reason === reason);
  const overlapped = said('LimitOverlapped');
  if (overlapped !== undefined)
    return {
      type: 'Accepted',
      status: 'False',
      reason: 'RateLimitReasonAlreadyExists',
      message: overlapped.message,
    };
  const missing = said('NoSuchTarget');
  if (missing !== undefined)
    return { type: 'Accepted', status: 'False', reason: 'NoMatchingTarget', message: missing.message };
  return accepted(judgement);
};

const parentsOf = (
  { spec }: RouteObject,
  judgement: Judgement,
  hasServer: (name: string) => boolean,
): Readonly<Record<string, OwnCondition>> => {
  const servers = isRejected(spec) ? spec.attachedTo : spec.servers;
  // Nobody can say which of its parents are Servers.
  if (servers === 'all') return {};
  return Object.fromEntries(
    servers.map((name): [string, OwnCondition] => {
      if (judgement.state === 'Rejected') return [name, accepted(judgement)];
      return [
        name,
        hasServer(name)
          ? accepted(judgement)
          : {
              type: 'Accepted',
              status: 'False',
              reason: 'NoMatchingParent',
              message: `There is no Server ${name}.`,
            },
      ];
    }),
  );
};

/** The longest message that every reader takes; the schema allows 32 KiB. */
const longestMessage = 1_024;

const printed = (findings: readonly PolicyFinding[]): string => {
  return shortened([...new Set(findings.map(({ message }) => message))].join(' '));
};

const shortened = (text: string): string =>
  text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1)}…`;
