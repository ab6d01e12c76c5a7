import assert from 'node:assert/strict';
import type { Outcome } from '../agent/messages.ts';
import type { Verdict } from './verdicts.ts';

/** What the proxy of the server counts for one call: a verdict, with what its labels must say besides who called. */
export type ProxyView =
  | {
      readonly counts: Verdict;
      readonly labels?: Readonly<Record<string, string>>;
      /** Once, when left out. */
      readonly times?: 'at least once';
    }
  /** No verdict: nothing came that far, or a connection that was decided before is used again. */
  | 'no verdict'
  /** The server has no proxy; then the client's own is asked, whose counter of this name grows by one. */
  | { readonly clientCounts: string; readonly labels: Readonly<Record<string, string>> };

/** What one call must look like from each of the three sides. None can be left out. */
export interface Expected {
  /** What came of it for the client: the status of an answer, `echoed`, `closed` or `silent`. */
  readonly client: string;
  /** How many requests of it the server's application saw. */
  readonly application: 0 | 1;
  readonly proxy: ProxyView;
}

type Labels = Readonly<Record<string, string>>;

/** Served, on the proxy's own counters by the authorization with these labels. */
export const served = (labels: Labels = {}): Expected => ({
  client: '200',
  application: 1,
  proxy: { counts: 'HTTP allowed', labels },
});

export const refused = (labels: Labels = {}): Expected => ({
  client: '403',
  application: 0,
  proxy: { counts: 'HTTP denied', labels },
});

export const routeless = (labels: Labels = {}): Expected => ({
  client: '404',
  application: 0,
  proxy: { counts: 'no route', labels },
});

/** Raw bytes that come back. */
export const echoed = (labels: Labels = {}): Expected => ({
  client: 'echoed',
  application: 1,
  proxy: { counts: 'TCP allowed', labels },
});

/** Raw bytes on a connection that was admitted before: decided once, when it was opened. */
export const echoedAgain: Expected = { client: 'echoed', application: 1, proxy: 'no verdict' };

/** A raw connection that is accepted and closed. */
export const closed = (labels: Labels = {}): Expected => ({
  client: 'closed',
  application: 0,
  proxy: { counts: 'TCP denied', labels },
});

/** Nobody decides and nobody answers before the client gives up. */
export const unanswered: Expected = { client: 'silent', application: 0, proxy: 'no verdict' };

/** The outcome in one word: the status of an answer, `echoed`, `closed` or `silent`. */
export const wordOf = (outcome: Outcome): string =>
  outcome.kind === 'answered' ? `${outcome.status}` : outcome.kind;

export const expectOutcome = (outcome: Outcome, expected: string, what: string): void => {
  const why = outcome.kind === 'closed' ? ` (${outcome.reason})` : '';
  assert.equal(wordOf(outcome), expected, `${what}: expected ${expected}, saw ${wordOf(outcome)}${why}`);
};
