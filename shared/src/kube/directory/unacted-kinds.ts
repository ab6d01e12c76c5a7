import type { Problem } from '../../core/problem.ts';

interface UnactedKind {
  readonly group: string;
  readonly wireKind: string;
  /** What is other than if it were honoured, for whoever relies on it. */
  readonly without: string;
}

const linkerd = 'policy.linkerd.io';
const gateway = 'gateway.networking.k8s.io';

/** Linkerd's kinds that are known by name and do nothing yet. Silence about one that closes something would be a lie. */
export const unactedKinds: readonly UnactedKind[] = [
  { group: linkerd, wireKind: 'ServerAuthorization', without: 'it admits nobody' },
  { group: linkerd, wireKind: 'HTTPLocalRateLimitPolicy', without: 'no request is limited' },
  { group: linkerd, wireKind: 'EgressNetwork', without: 'no egress is denied' },
  { group: gateway, wireKind: 'GRPCRoute', without: 'calls that it does not match are not refused for that' },
  { group: gateway, wireKind: 'TLSRoute', without: 'no connection is routed or refused by it' },
  { group: gateway, wireKind: 'TCPRoute', without: 'no connection is routed or refused by it' },
  {
    group: 'linkerd.io',
    wireKind: 'ServiceProfile',
    without: 'its routes, retries and overrides do not apply',
  },
  {
    group: 'workload.linkerd.io',
    wireKind: 'ExternalWorkload',
    without: 'it is no endpoint and has no identity',
  },
];

export const unactedKind = (group: string, wireKind: string): Problem | undefined => {
  const row = unactedKinds.find((each) => each.group === group && each.wireKind === wireKind);
  return row === undefined
    ? undefined
    : {
        field: 'kind',
        found: `${wireKind} is read but not acted upon yet`,
        fix: `until it is, ${row.without}`,
      };
};
