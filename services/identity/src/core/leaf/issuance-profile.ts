/** What all leaves of this control plane have in common. */
export interface IssuanceProfile {
  readonly lifetimeMs: number;
  /** How far behind ours the clock of a verifier may be: webpki allows none (contract/proxy.md §3.4). */
  readonly clockSkewMs: number;
}

/** Whole seconds since the epoch, both inclusive (RFC 5280 §4.1.2.5). */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** When every certificate of an issuer's chain is valid, in seconds: from the last notBefore until the first notAfter. */
export interface ChainValidity {
  readonly chainBegins: number;
  readonly chainEnds: number;
}

/**
 * From `skew` ago until `lifetime + skew` from now, and never beyond what the issuer chain is valid for: a leaf that
 * outlives its issuer is one that no peer accepts any more, and whose proxy would not know.
 */
export const validityOf = (
  { lifetimeMs, clockSkewMs }: IssuanceProfile,
  nowMs: number,
  { chainBegins, chainEnds }: ChainValidity,
): Validity => ({
  notBefore: Math.max(Math.floor((nowMs - clockSkewMs) / 1000), chainBegins),
  notAfter: Math.min(Math.floor((nowMs + lifetimeMs + clockSkewMs) / 1000), chainEnds),
});
