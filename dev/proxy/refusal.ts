import { type HttpAnswer, type HttpRequest, isGrpc } from './http-message.ts';
import { type InboundClient, isMeshClient } from './inbound-client.ts';

/** Why a request gets no answer of the application: the rows of contract/proxy.md §6.5. */
export type RefusalKind = 'unauthorized' | 'no-route' | 'rate-limited' | 'bad-redirect' | 'app-unreachable';

interface Form {
  readonly status: number;
  readonly grpc: number;
  readonly reason: string;
  /** The proxy closes the connection after it. */
  readonly close: boolean;
}

const forms = {
  unauthorized: { status: 403, grpc: 7, reason: 'unauthorized request on route', close: false },
  'no-route': { status: 404, grpc: 5, reason: 'no route found for request', close: false },
  'rate-limited': { status: 429, grpc: 8, reason: 'too many requests', close: false },
  'bad-redirect': { status: 500, grpc: 13, reason: 'the redirect cannot be made', close: true },
  'app-unreachable': { status: 502, grpc: 14, reason: 'the application cannot be reached', close: true },
} as const satisfies Record<RefusalKind, Form>;

/** Refuses in the words of the client's protocol, and says why to clients of the mesh only. */
export const refuse = (kind: RefusalKind, request: HttpRequest, client: InboundClient): HttpAnswer => {
  const { status, grpc, reason, close } = forms[kind];
  const asGrpc = isGrpc(request.headers);
  const told: [string, string][] = [];
  if (isMeshClient(client)) {
    told.push(['l5d-proxy-error', reason]);
    if (asGrpc) told.push(['grpc-message', encodeURIComponent(reason)]);
    if (close) told.push(['l5d-proxy-connection', 'close']);
  }
  const head: [string, string][] = asGrpc
    ? [
        ['content-type', 'application/grpc'],
        ['grpc-status', String(grpc)],
      ]
    : [];
  return {
    status: asGrpc ? 200 : status,
    headers: [...head, ['content-length', '0'], ...told],
    body: undefined,
    trailers: () => [],
    close,
  };
};
