import type { Attempt, Verdict } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundProtocol, Meta } from '@gatehouse/core/inbound/inbound-server';
import type { Outcome } from '../agent/messages.ts';
import type { Sample } from '../rig/proxy-metrics.ts';

/** What the client sees when the verdict is that one (contract/proxy.md §6.5). */
export const expectedOutcome = (verdict: Verdict, { traffic }: Attempt): string => {
  if (verdict.kind === 'denied') {
    if (verdict.reason === 'not-http') return 'not-http';
    if (verdict.reason === 'no-route') return '404';
    return traffic.kind === 'tcp' || verdict.route === undefined ? 'closed' : '403';
  }
  const redirect = verdict.filters.find((filter) => filter.kind === 'redirect');
  if (redirect?.kind === 'redirect') return `${redirect.status ?? 301}`;
  return traffic.kind === 'tcp' ? 'echoed' : '200';
};

/** What the client saw, in the same words. A proxy that speaks only HTTP may say so, in HTTP; the application says `echo`. */
export const seenOutcome = (outcome: Outcome, expected: string): string => {
  if (expected === 'not-http') {
    return reachedApplication(outcome) ? 'echoed' : 'not-http';
  }
  return outcome.kind === 'answered' ? `${outcome.status}` : outcome.kind;
};

/** Whether the application itself answered: it says 200, or `echo`. */
export const reachedApplication = (outcome: Outcome): boolean =>
  outcome.kind === 'answered'
    ? outcome.status === 200
    : outcome.kind === 'echoed' && outcome.text.startsWith('echo ');

const labels = (prefix: string, meta: Meta): string => {
  const { group, kind, name } =
    meta.kind === 'default' ? { group: '', kind: 'default', name: meta.name } : meta.resource;
  return `${prefix}=${group}/${kind}/${name}`;
};

/** How the proxy counts the verdict (contract/proxy.md §6.6); undefined = it counts none. */
export const expectedCounter = (
  verdict: Verdict,
  { traffic, tls }: Attempt,
  protocol: InboundProtocol['kind'],
): string | undefined => {
  if (verdict.kind === 'denied' && verdict.reason === 'not-http') {
    // Behind mesh TLS the proxy looks whether it is HTTP/1 or HTTP/2 and finds neither; elsewhere its HTTP server does.
    const looked = protocol === 'http1' && (tls.kind === 'anonymous' || tls.kind === 'identified');
    return looked ? 'inbound_tcp_authz_deny_total' : undefined;
  }
  if (traffic.kind === 'tcp' || protocol === 'opaque' || protocol === 'tls') {
    return verdict.kind === 'allowed'
      ? `inbound_tcp_authz_allow_total ${labels('authz', verdict.authorization)}`
      : 'inbound_tcp_authz_deny_total';
  }
  if (verdict.kind === 'denied' && verdict.reason === 'no-route') return 'inbound_http_route_not_found_total';
  const route = verdict.route === undefined ? '' : labels('route', verdict.route);
  return verdict.kind === 'allowed'
    ? `inbound_http_authz_allow_total ${route} ${labels('authz', verdict.authorization)}`
    : `inbound_http_authz_deny_total ${route}`;
};

const counters: Readonly<Record<string, readonly string[]>> = {
  inbound_http_authz_allow_total: ['route', 'authz'],
  inbound_http_authz_deny_total: ['route'],
  inbound_http_route_not_found_total: [],
  inbound_tcp_authz_allow_total: ['authz'],
  inbound_tcp_authz_deny_total: [],
};

/** What the proxy counted on a port, in the words of `expectedCounter`. */
export const countedOn = (samples: readonly Sample[], port: number): Readonly<Record<string, number>> => {
  const counted: Record<string, number> = {};
  for (const { name, labels, value } of samples) {
    const prefixes = counters[name];
    if (prefixes === undefined || labels.target_port !== `${port}` || value === 0) continue;
    const parts = prefixes.map((prefix) => {
      const [group = '', kind = '', label = ''] = ['group', 'kind', 'name'].map(
        (part) => labels[`${prefix}_${part}`],
      );
      return `${prefix}=${group}/${kind}/${label}`;
    });
    const word = [name, ...parts].join(' ');
    counted[word] = (counted[word] ?? 0) + value;
  }
  return counted;
};
