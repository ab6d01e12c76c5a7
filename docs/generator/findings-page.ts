import { policyStates } from '@gatehouse/policy/core/judgement/judgement';
import { policyReasons, reasonTexts } from '@gatehouse/policy/core/judgement/reasons';
import { code, page, table } from './table.ts';

/** What is found about policy objects. The reasons are a closed list, and the compiler asks for a text for each. */
export const findingsPage = (): string =>
  page(
    'Findings',
    'Every policy object is judged by what it does. The judgement is one function of what the cluster holds, and the REST API\n' +
      '(`/v1/policies`, `/v1/authorizations`), `gatehouse lint`, the log and the metrics say it in the same words.',
    '## States',
    table(
      ['state', 'meaning'],
      Object.entries(policyStates).map(([state, meaning]) => [code(state), meaning]),
    ),
    '## Reasons',
    'A finding names its reason, the field that says so, what it is about, and what to do.',
    table(
      ['reason', 'meaning', 'what to do'],
      policyReasons
        .toSorted()
        .map((reason) => [code(reason), reasonTexts[reason].meaning, reasonTexts[reason].fix]),
    ),
  );
