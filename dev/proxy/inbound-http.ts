import { type EnforcedServer, evaluate, type Verdict } from '@gatehouse/core/inbound/evaluate-inbound';
import { applyFilters } from './apply-filters.ts';
import type { Verdict as LoggedVerdict } from './event-log.ts';
import {
  type HttpAnswer,
  type HttpHandler,
  type HttpRequest,
  valuesOf,
  withHeader,
  without,
} from './http-message.ts';
import { eventClient, type InboundClient, identityOf } from './inbound-client.ts';
import type { InboundContext } from './inbound-context.ts';
import { type PolicyRow, printMeta } from './port-policy.ts';
import { type RefusalKind, refuse } from './refusal.ts';
import { asText } from './request-target.ts';

/** How an HTTP/1 request says what it was while HTTP/2 carries it between two proxies. */
export const originalProtocol = 'l5d-orig-proto';
/** Who the client is, for the application; whatever a client itself wrote there is stripped. */
const clientIdHeader = 'l5d-client-id';

const judge = (
  server: EnforcedServer,
  request: HttpRequest,
  {
    client,
    matchesRegex,
  }: {
    readonly client: InboundClient;
    readonly matchesRegex: InboundContext['matchesRegex'];
  },
): Verdict => {
  const { kind } = server.protocol;
  // A port that became raw under an open HTTP connection has no routes for it (contract/proxy.md §6.1).
  if (kind === 'opaque' || kind === 'tls') return { kind: 'denied', reason: 'no-route', route: undefined };
  const { method, authority: host, headers } = request;
  const traffic = {
    kind: 'http',
    method,
    target: asText(request.path),
    host,
    headers: headers.map(([name, value]) => ({ name, value })),
  } as const;
  return evaluate(server, { client: client.address, tls: client.tls, traffic }, matchesRegex);
};

/** The request as the application sees it. */
const forApp = (request: HttpRequest, client: InboundClient): HttpRequest => {
  const carried = valuesOf(request.headers, originalProtocol)[0]?.startsWith('HTTP/1') === true;
  const headers = without(request.headers, originalProtocol, clientIdHeader);
  const identity = identityOf(client);
  return {
    ...request,
    version: carried ? 1 : request.version,
    headers: identity === undefined ? headers : withHeader(headers, clientIdHeader, identity),
  };
};

const verdictWord = (verdict: Verdict): LoggedVerdict => {
  if (verdict.kind === 'allowed') return 'allowed';
  return verdict.reason === 'no-route' ? 'no-route' : 'denied';
};

const countName = {
  allowed: 'http_authz_allow',
  denied: 'http_authz_deny',
  'no-route': 'http_route_not_found',
} as const satisfies Record<LoggedVerdict, string>;

/**
 * Decides each request of one client by the newest row, so that a change of policy acts on the next request of an open
 * connection, and passes admitted ones to the application.
 */
export const inboundHttpHandler = (context: InboundContext, client: InboundClient): HttpHandler => {
  const { policy, app, log, metrics, matchesRegex, now } = context;
  const answer = async (request: HttpRequest, verdict: Verdict, row: PolicyRow): Promise<HttpAnswer> => {
    const refused = (kind: RefusalKind): HttpAnswer => refuse(kind, request, client);
    if (verdict.kind === 'denied')
      return refused(verdict.reason === 'no-route' ? 'no-route' : 'unauthorized');
    const filtered = applyFilters(request, verdict.filters, verdict.path);
    switch (filtered.kind) {
      case 'bad-redirect':
        return refused('bad-redirect');
      case 'answer':
        return filtered.answer;
      case 'pass':
        if (row.limiter?.admits(client.tls, now()) === false) return refused('rate-limited');
        return app.send(forApp(filtered.request, client)).catch(() => refused('app-unreachable'));
    }
  };
  return async (request) => {
    const aside = context.aside?.(request, client);
    if (aside !== undefined) return aside;
    const row = policy.row.value;
    const { server } = row;
    const verdict = judge(server, request, { client, matchesRegex });
    const answered = await answer(request, verdict, row);
    const word = verdictWord(verdict);
    const authorization = verdict.kind === 'allowed' ? verdict.authorization : undefined;
    const { route } = verdict;
    metrics.count(countName[word], { client, port: policy.port, server: server.meta, route, authorization });
    log({
      event: 'inbound-request',
      connection: client.connection,
      port: policy.port,
      client: eventClient(client),
      method: request.method,
      path: request.path,
      verdict: word,
      status: answered.status,
      server: printMeta(server.meta),
      route: route && printMeta(route),
      authorization: authorization && printMeta(authorization),
    });
    return answered;
  };
};
