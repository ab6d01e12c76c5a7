import assert from 'node:assert/strict';
import type { Outcome } from '../hand/messages.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';

/** The outcome in one word: the status of an answer, `echoed`, `closed` or `silent`. */
export const wordOf = (outcome: Outcome): string =>
  outcome.kind === 'answered' ? `${outcome.status}` : outcome.kind;

export const expectOutcome = (outcome: Outcome, expected: string, what: string): void => {
  const why = outcome.kind === 'closed' ? ` (${outcome.reason})` : '';
  assert.equal(wordOf(outcome), expected, `${what}: expected ${expected}, saw ${wordOf(outcome)}${why}`);
};

type Verdicts =
  | 'inbound_http_authz_allow_total'
  | 'inbound_http_authz_deny_total'
  | 'inbound_http_route_not_found_total'
  | 'inbound_tcp_authz_allow_total'
  | 'inbound_tcp_authz_deny_total'
  | 'inbound_tcp_authz_terminate_total';

/** How much a counter of the pod's proxy grows while something is done. */
export const growthOf = async (
  pod: Pod,
  counter: Verdicts,
  labels: Readonly<Record<string, string>>,
  during: () => Promise<unknown>,
): Promise<number> => {
  const before = total(await pod.metrics(), counter, labels);
  await during();
  return total(await pod.metrics(), counter, labels) - before;
};
