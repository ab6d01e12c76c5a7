/**
 * What may be used at most, in MB of RSS (docs/performance.md). Measured 10 s after a service was ready, in a pod of the image.
 */
export const budgets = {
  /** Node itself, with nothing but an HTTP server. */
  node: 60,
  identity: 110,
  destination: 130,
  policy: 130,
  /** What 1,000 more meshed pods may add to destination or policy, with 2,000 to 10,000 of them. */
  thousandPods: 6,
} as const;
