/** How long to wait before trying again: contract/proxy.md §2.2. */
export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  /** Up to this share of the base is added. */
  readonly jitter: number;
}

/** The proxy's own figures for control planes on loopback, and for all others. */
export const loopbackBackoff: BackoffOptions = { minMs: 100, maxMs: 10_000, jitter: 0.1 };
export const remoteBackoff: BackoffOptions = { minMs: 100, maxMs: 60_000, jitter: 0.1 };

/** The wait before attempt `failures + 1`, for a `random` in [0, 1). */
export const backoffMs = (
  { minMs, maxMs, jitter }: BackoffOptions,
  failures: number,
  random: number,
): number => {
  const base = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30));
  return base + base * jitter * random;
};
