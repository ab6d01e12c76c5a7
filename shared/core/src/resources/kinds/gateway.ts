import type { GrpcMatch, HttpFilter, HttpMatch, RequestHeadersFilter } from '../../inbound/inbound-server.ts';

export interface HttpRouteSpec {
  /** Servers of the route's own namespace that it is attached to (parentRefs without port and sectionName). */
  readonly servers: readonly string[];
  /** Services it is attached to, for outbound policy. */
  readonly services: readonly ServiceParent[];
  readonly hosts: readonly string[];
  readonly rules: readonly {
    readonly matches: readonly HttpMatch[];
    readonly filters: readonly HttpFilter[];
  }[];
}

export interface GrpcRouteSpec {
  /** As those of an HTTPRoute. */
  readonly servers: readonly string[];
  readonly services: readonly ServiceParent[];
  readonly hosts: readonly string[];
  readonly rules: readonly {
    readonly matches: readonly GrpcMatch[];
    readonly filters: readonly RequestHeadersFilter[];
  }[];
}

export interface ServiceParent {
  readonly namespace: string;
  readonly name: string;
  /** Undefined = every port of the Service. */
  readonly port?: number;
}

/** Where raw connections go; attached to Services and EgressNetworks, never to Servers. */
export interface TcpRouteSpec {
  readonly services: readonly ServiceParent[];
  readonly egressNetworks: readonly Required<ServiceParent>[];
  readonly backends: readonly RouteBackend[];
}

export interface TlsRouteSpec extends TcpRouteSpec {
  /** Names in the ClientHello (SNI); empty = any. */
  readonly hosts: readonly string[];
}

export interface RouteBackend {
  /** `other` is a kind that nothing can be sent to: its share of the connections fails. */
  readonly kind: 'Service' | 'EgressNetwork' | 'other';
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly weight: number;
}
