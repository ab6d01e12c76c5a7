/**
 * How much one object may hold, so that what it costs everybody else is bounded by a function of itself (design §15.5).
 * A policy object over a budget is rejected, and closes what a rejected one closes; a core object loses the field.
 */
export interface ObjectBudgets {
  /** Regular expressions of a route or ServiceProfile. */
  readonly patterns: number;
  /** Bytes of a regular expression, its repetitions written out, or of a path. */
  readonly patternBytes: number;
  /** Matches of a route, conditions of a ServiceProfile; of `rules` each path with each method. */
  readonly matches: number;
  readonly hosts: number;
  /** Headers of one match or rule, and as many query parameters. */
  readonly headers: number;
  /** Bytes of the annotations that a service reads. */
  readonly annotationBytes: number;
  /** CIDRs, exceptions included. */
  readonly networks: number;
  /** Identities, ServiceAccounts and selectors of clients. */
  readonly identities: number;
  /** Kubelet probes of a pod, and the bytes of the path of one. */
  readonly probes: number;
  readonly probePathBytes: number;
}

/** How a sentence names what a budget counts, and the setting that says how much of it. */
export const budgetNames = {
  patterns: { things: 'regular expressions', setting: 'GATEHOUSE_MAX_PATTERNS' },
  patternBytes: { things: 'bytes', setting: 'GATEHOUSE_MAX_PATTERN_SIZE' },
  matches: { things: 'matches', setting: 'GATEHOUSE_MAX_MATCHES' },
  hosts: { things: 'host names', setting: 'GATEHOUSE_MAX_HOSTS' },
  headers: { things: 'conditions', setting: 'GATEHOUSE_MAX_HEADER_CONDITIONS' },
  annotationBytes: { things: 'bytes', setting: 'GATEHOUSE_MAX_ANNOTATION_SIZE' },
  networks: { things: 'networks', setting: 'GATEHOUSE_MAX_NETWORKS' },
  identities: { things: 'identities', setting: 'GATEHOUSE_MAX_IDENTITIES' },
  probes: { things: 'probes', setting: 'GATEHOUSE_MAX_PROBES' },
  probePathBytes: { things: 'bytes', setting: 'GATEHOUSE_MAX_PROBE_PATH_SIZE' },
} as const satisfies Record<keyof ObjectBudgets, { readonly things: string; readonly setting: string }>;

/** Far above what people write by hand; each is a setting of the services that decide by such objects. */
export const defaultObjectBudgets: ObjectBudgets = Object.freeze({
  patterns: 64,
  patternBytes: 1_024,
  matches: 1_024,
  hosts: 64,
  headers: 16,
  annotationBytes: 16_384,
  networks: 4_096,
  identities: 4_096,
  probes: 32,
  probePathBytes: 256,
});
