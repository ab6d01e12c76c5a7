import type { CompiledPort, Finding, ObjectRef } from '../inbound/model.ts';
import { found, type PolicyFinding, type PolicyState } from './judgement.ts';
import type { PolicyReason } from './reasons.ts';

/** What the rows say of one object. */
export interface RowFindings {
  readonly findings: readonly PolicyFinding[];
  /** By reason: on how many of the rows. */
  readonly counts: ReadonlyMap<PolicyReason, number>;
  readonly rows: number;
}

/** So many sentences of one reason are said; they are alike but for the port. */
const mostAlike = 3;

/** What is found about the object, and about the workloads whose ports it closes. */
export const rowFindings = (object: ObjectRef, rows: readonly CompiledPort[]): RowFindings => {
  const messages = new Map<PolicyReason, Set<string>>();
  const counts = new Map<PolicyReason, number>();
  for (const row of rows) {
    const closes = row.contributions.some(
      ({ object: by, effect }) =>
        isSame(by, object) && (effect.kind === 'closes' || effect.kind === 'governs'),
    );
    const reasons = new Set<PolicyReason>();
    for (const { reason, about, message } of row.findings) {
      if (!(about.kind === 'workload' ? closes : isSame(about, object))) continue;
      reasons.add(reason);
      const known = messages.get(reason) ?? new Set();
      messages.set(reason, known.add(message));
    }
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const findings = [...messages]
    .filter(([reason]) => !saidElsewhere.has(reason))
    .map(([reason, all]) => found(reason, joined([...all])));
  return { findings, counts, rows: rows.length };
};

/** The judgement says with their fields why an object was rejected, where pods pass the proxy by, and what is wrong with a source. */
const saidElsewhere: ReadonlySet<PolicyReason> = new Set(['Rejected', 'Unenforced', 'AddressShared']);

const joined = (messages: readonly string[]): string => {
  const more = messages.length - mostAlike;
  return [...messages.slice(0, mostAlike), ...(more > 0 ? [`The same on ${more} more ports.`] : [])].join(
    ' ',
  );
};

const isSame = (about: Finding['about'], { kind, namespace, name }: ObjectRef): boolean =>
  about.kind === kind && about.name === name && about.namespace === namespace;

/** What keeps a grant from being one, though the object still closes. */
const voiding = new Set<PolicyReason>([
  'RoutesAttached',
  'RulesNeedHTTP',
  'RuleNeverMatches',
  'TooManyMatches',
  'TooManySteps',
  'InDoubt',
  'TargetRejected',
  'MissingAuthentication',
  'NoNetworks',
  'RouteNeedsProtocol',
  'LimitNeedsHTTP',
]);

/** What takes all effect away. */
const undoing = {
  OpenedByServer: 'Open',
  Overlapped: 'MatchesNothing',
  LimitOverlapped: 'MatchesNothing',
} as const;

/** Whether an object that is found to have this somewhere is not in force there, or not all of it. */
export const lessensEffect = (reason: PolicyReason): boolean =>
  voiding.has(reason) || Object.hasOwn(undoing, reason);

/** The state of an object that its pods alone would leave in `state`. */
export const stateBy = ({ counts, rows }: RowFindings, state: PolicyState): PolicyState => {
  if (state !== 'Enforced' && state !== 'PartlyEnforced') return state;
  for (const [reason, undone] of Object.entries(undoing)) {
    const count = counts.get(reason as keyof typeof undoing) ?? 0;
    if (count === rows && rows > 0) return undone;
    if (count > 0) return 'PartlyEnforced';
  }
  return [...counts.keys()].some((reason) => voiding.has(reason)) ? 'PartlyEnforced' : state;
};
