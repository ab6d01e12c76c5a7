import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import type { AppTarget } from './app-target.ts';
import type { AuthzMetrics } from './authz-metrics.ts';
import type { EventLog } from './event-log.ts';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import type { InboundClient } from './inbound-client.ts';
import type { PortPolicy } from './port-policy.ts';

/** What deciding on one inbound port needs. */
export interface InboundContext {
  readonly policy: PortPolicy;
  readonly app: AppTarget;
  readonly matchesRegex: RegexMatcher;
  readonly log: EventLog;
  readonly metrics: AuthzMetrics;
  /** Milliseconds of any clock that only goes forward, for rate limits. */
  readonly now: () => number;
  /** Answers some requests before any policy: the dev-only part of the admin port. */
  readonly aside?: (request: HttpRequest, client: InboundClient) => HttpAnswer | undefined;
}
