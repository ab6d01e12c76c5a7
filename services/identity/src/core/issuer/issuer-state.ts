import type { Parsed, Problem } from '@gatehouse/core/problem';

/** The issuer in use and the last one that was refused. */
export interface IssuerState<Issuer> {
  readonly current: Issuer | undefined;
  readonly rejected: Rejection | undefined;
}

export interface Rejection {
  /** Milliseconds since the epoch: when this reason was first seen. */
  readonly at: number;
  readonly problems: readonly Problem[];
}

/** A new issuer replaces the old one only if it was accepted; a refusal leaves the old one in place and is remembered. */
export const offerIssuer = <Issuer>(
  state: IssuerState<Issuer>,
  outcome: Parsed<Issuer>,
  nowMs: number,
): IssuerState<Issuer> =>
  outcome.ok
    ? { current: outcome.value, rejected: undefined }
    : { current: state.current, rejected: { at: nowMs, problems: outcome.problems } };
