import type { InboundProtocol } from '@gatehouse/core/inbound/inbound-server';
import { type RouteObject, writtenKindOf } from './attached-routes.ts';

/** Why a route has no effect on a port, and how to fix it. */
export const foreignTo = (
  protocol: InboundProtocol['kind'],
  port: number,
  route: Pick<RouteObject, 'kind' | 'meta'>,
): string =>
  `${writtenKindOf(route)} ${route.meta.name} routes nothing on port ${port}, which ${speech[protocol]}`;

const speech = {
  detect: 'is not a gRPC port: set `proxyProtocol: gRPC` on its Server, or use an HTTPRoute.',
  http1: 'speaks HTTP/1: set `proxyProtocol: gRPC` on its Server, or use an HTTPRoute.',
  http2: 'speaks HTTP/2: set `proxyProtocol: gRPC` on its Server, or use an HTTPRoute.',
  grpc: 'speaks gRPC: use a GRPCRoute, or another `proxyProtocol` on its Server.',
  opaque: 'is opaque, where a proxy sees no requests.',
  tls: 'is TLS, where a proxy sees no requests.',
} as const satisfies Record<InboundProtocol['kind'], string>;
