import { Type } from 'typebox';
import type { JudgedSelection } from '../../core/answers/judge-selection.ts';
import { notEnforcedReasons } from '../../core/inbound/enforcement.ts';
import { refOf } from '../../core/inbound/model.ts';
import {
  type Judged,
  type Judgement,
  type PolicyFinding,
  policyStates,
} from '../../core/judgement/judgement.ts';
import { policyReasons } from '../../core/judgement/reasons.ts';
import { nullable, ObjectName, objectName, wordOf } from './rest-object.ts';

/** The state of a judgement, in the words of docs/reference/findings.md. */
export const State = wordOf(policyStates);

export const FindingItem = Type.Object({
  reason: Type.Enum(policyReasons, { description: 'docs/reference/findings.md explains each' }),
  field: nullable(Type.String({ description: 'The path of the field that says so, where it is one' })),
  about: Type.Array(ObjectName, { description: 'What it is about beside the object itself: the first ten' }),
  message: Type.String(),
  fix: Type.String({ description: 'What to do' }),
});
export type FindingItem = Type.Static<typeof FindingItem>;

export const SelectedPods = Type.Object({
  count: Type.Integer(),
  names: Type.Array(Type.String(), { description: 'The first hundred' }),
  notEnforcedCount: Type.Integer(),
  notEnforced: Type.Array(
    Type.Object({
      pod: Type.String(),
      reason: Type.Enum(notEnforcedReasons),
      message: Type.String(),
    }),
    { description: 'The first hundred where it has no effect, or not on all its ports' },
  ),
});

/** One policy object and what became of it. */
export const PolicyItem = Type.Object({
  object: ObjectName,
  state: State,
  pods: nullable(SelectedPods, { description: 'Of those that select pods, which at present' }),
  selectedSources: nullable(Type.Integer(), {
    description: 'Of a NetworkAuthenticationPolicy: how many pods its sources select',
  }),
  findings: Type.Array(FindingItem),
});
export type PolicyItem = Type.Static<typeof PolicyItem>;

export const policyItem = (
  object: Judged,
  { state, selection, selectedSources, findings }: Judgement,
): PolicyItem => ({
  object: objectName(refOf(object)),
  state,
  pods: selection === undefined ? null : podsItem(selection),
  selectedSources: selectedSources ?? null,
  findings: findings.map(findingItem),
});

export const findingItem = ({ reason, field, about, message, fix }: PolicyFinding): FindingItem => ({
  reason,
  field: field === '' ? null : field,
  about: about.map(objectName),
  message,
  fix,
});

export const podsItem = ({
  count,
  names,
  notEnforced,
  notEnforcedCount,
}: JudgedSelection): Type.Static<typeof SelectedPods> => ({
  count,
  names: [...names],
  notEnforcedCount,
  notEnforced: notEnforced.map(({ pod, reason, why }) => ({
    pod,
    reason,
    message: `Open, not enforced: ${why}.`,
  })),
});
