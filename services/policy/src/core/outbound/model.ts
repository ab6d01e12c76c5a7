/**
 * What a client's proxy is told of one port of one Service, in our words. The compiler makes these rows, `encode-outbound`
 * writes them to the wire. Routes of users, egress networks and failure accrual join here with the outbound issue.
 */
export interface OutboundPolicy {
  readonly service: ServicePortRef;
  readonly protocol: OutboundProtocol;
}

export interface ServicePortRef {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** While a proxy uses a target it ignores a change between HTTP and bytes (`contract/proxy.md` §1.6). */
export type OutboundProtocol =
  /** The proxy looks at the client's first bytes, then takes one of the two routes. */
  | { readonly kind: 'detect'; readonly timeoutMs: number; readonly backend: Balancer }
  | { readonly kind: 'http1' | 'http2' | 'opaque'; readonly backend: Balancer }
  /** The Service declares no such port, so nothing may be sent to it. */
  | { readonly kind: 'forbidden' };

/** Balances over the endpoints that destination resolves. */
export interface Balancer {
  /** `name.namespace.svc.domain:port`; anything that is no `name:port` panics the proxy. */
  readonly destination: string;
  readonly defaultRttMs: number;
  readonly decayMs: number;
  readonly queueCapacity: number;
  /** How long requests wait for an endpoint before they fail. */
  readonly failfastMs: number;
}
