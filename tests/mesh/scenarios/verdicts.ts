import type { Pod } from '../rig/pod.ts';
import type { Sample } from '../rig/proxy-metrics.ts';
import { adminPort } from '../rig/redirect-rules.ts';

/** The counters of a proxy's inbound verdicts (contract/proxy.md §6.6), in our words. */
const counters = {
  inbound_http_authz_allow_total: 'HTTP allowed',
  inbound_http_authz_deny_total: 'HTTP denied',
  inbound_http_route_not_found_total: 'no route',
  inbound_tcp_authz_allow_total: 'TCP allowed',
  inbound_tcp_authz_deny_total: 'TCP denied',
  inbound_tcp_authz_terminate_total: 'TCP cut',
} as const;

export type Verdict = (typeof counters)[keyof typeof counters];

export interface Counted {
  readonly verdict: Verdict;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const verdictOf = (name: string): Verdict | undefined =>
  name in counters ? counters[name as keyof typeof counters] : undefined;

const countedBy = (samples: readonly Sample[]): readonly Counted[] =>
  samples.flatMap(({ name, labels, value }) => {
    const verdict = verdictOf(name);
    // Readiness probes and our own reading of metrics are nobody's calls.
    return verdict === undefined || labels.target_port === `${adminPort}` ? [] : [{ verdict, labels, value }];
  });

/** What the proxies of these pods have counted, each sample under a key of its own. */
export const verdictsOf = async (pods: readonly Pod[]): Promise<ReadonlyMap<string, Counted>> => {
  const verdicts = new Map<string, Counted>();
  for (const pod of pods.filter(({ proxy }) => proxy !== undefined)) {
    for (const counted of countedBy(await pod.metrics())) {
      verdicts.set([pod.name, counted.verdict, JSON.stringify(counted.labels)].join(' '), counted);
    }
  }
  return verdicts;
};

/** What grew, and by how much; counters of a proxy that was started again begin at 0. */
export const growthBetween = (
  before: ReadonlyMap<string, Counted>,
  after: ReadonlyMap<string, Counted>,
): readonly Counted[] =>
  [...after].flatMap(([key, counted]) => {
    const was = before.get(key)?.value ?? 0;
    const grew = counted.value < was ? counted.value : counted.value - was;
    return grew === 0 ? [] : [{ ...counted, value: grew }];
  });

/** How often each verdict was counted. */
export const sumByVerdict = (grown: readonly Counted[]): Readonly<Partial<Record<Verdict, number>>> => {
  const sums: Partial<Record<Verdict, number>> = {};
  for (const { verdict, value } of grown) sums[verdict] = (sums[verdict] ?? 0) + value;
  return sums;
};
