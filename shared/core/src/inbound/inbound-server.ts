import type { NetworkMatch } from '../ip-network.ts';
import type { SuffixParts } from '../mesh/identity-match.ts';
import type { Identity } from '../mesh/workload-identity.ts';

/**
 * What a proxy is told of one inbound port, in our words: the protocol, who is authorized, and the routes.
 * The policy compiler makes these rows, `encode-inbound` writes them to the wire, `evaluate-inbound` says what a proxy
 * does with them. The source of every rule is `contract/proxy.md` §1.5 and §6.
 */
export interface InboundServer {
  readonly protocol: InboundProtocol;
  /** Server-level authorizations: they apply to raw TCP and are added to those of every route. */
  readonly authorizations: readonly Authorization[];
  /** Named by the resource that governs the port, or by the default policy's name. */
  readonly meta: Meta;
}

export type InboundProtocol =
  | {
      readonly kind: 'detect';
      readonly timeoutMs: number;
      readonly routes: readonly HttpRoute[];
      readonly rateLimit?: LocalRateLimit;
    }
  | {
      readonly kind: 'http1' | 'http2';
      readonly routes: readonly HttpRoute[];
      readonly rateLimit?: LocalRateLimit;
    }
  | { readonly kind: 'grpc'; readonly routes: readonly GrpcRoute[] }
  | { readonly kind: 'opaque' | 'tls' };

/**
 * How many HTTP requests a second a proxy passes on, of those that are admitted. Each proxy counts by itself, and begins
 * again with every message that it is sent. Undefined = no such limit.
 */
export interface LocalRateLimit {
  readonly meta: Meta | undefined;
  /** Of all clients together. */
  readonly total: number | undefined;
  /** Of each identity; all clients without one count as one. */
  readonly identity: number | undefined;
  /** In place of `identity`, for these clients together; of several that name a client the last counts. */
  readonly overrides: readonly LimitOverride[];
}

export interface LimitOverride {
  readonly requestsPerSecond: number;
  readonly identities: readonly Identity[];
}

/** Labels for metrics and logs; no behaviour hangs on them but that of default `audit`. */
export type Meta =
  | { readonly kind: 'default'; readonly name: string }
  | {
      readonly kind: 'resource';
      readonly resource: { readonly group: string; readonly kind: string; readonly name: string };
    };

/** Both must hold: the client's address is in one of `networks` (never empty), and its authentication suffices. */
export interface Authorization {
  readonly networks: readonly NetworkMatch[];
  readonly authentication: Authentication;
  readonly meta: Meta;
}

export type Authentication =
  | { readonly kind: 'unauthenticated' }
  /** TLS ended by the proxy; no client certificate needed. */
  | { readonly kind: 'tls' }
  /** `suffixes` hold DNS labels: ['a','b'] stands for any name ending in `.a.b`, [] for any DNS identity. */
  | {
      readonly kind: 'identities';
      readonly identities: readonly Identity[];
      readonly suffixes: readonly SuffixParts[];
    };

export interface HttpRoute {
  readonly meta: Meta;
  /** Empty = any host. */
  readonly hosts: readonly HostMatch[];
  readonly authorizations: readonly Authorization[];
  readonly rules: readonly HttpRule[];
}

export interface HttpRule {
  /** Alternatives; empty = every request. */
  readonly matches: readonly HttpMatch[];
  readonly filters: readonly HttpFilter[];
}

export type HostMatch =
  | { readonly kind: 'exact'; readonly host: string }
  /** `*.example.com` has the suffix `example.com`, and needs at least one label before it. */
  | { readonly kind: 'suffix'; readonly suffix: string };

/** All given parts must hold. */
export interface HttpMatch {
  readonly path?: PathMatch;
  readonly method?: string;
  readonly headers: readonly ValueMatch[];
  readonly queryParams: readonly ValueMatch[];
}

export type PathMatch =
  | { readonly kind: 'exact' | 'prefix'; readonly value: string }
  /** Anchored to the whole path. */
  | { readonly kind: 'regex'; readonly value: string };

/** Any value of that name equals, or matches as a whole. Header names compare without case. */
export interface ValueMatch {
  readonly name: string;
  readonly kind: 'exact' | 'regex';
  readonly value: string;
}

export type HttpFilter = RequestHeadersFilter | RedirectFilter;

/** Applied in this order: add, set, remove. */
export interface RequestHeadersFilter {
  readonly kind: 'request-headers';
  readonly add: readonly HeaderValue[];
  readonly set: readonly HeaderValue[];
  readonly remove: readonly string[];
}

export interface RedirectFilter {
  readonly kind: 'redirect';
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly port?: number;
  readonly status?: number;
  readonly path?: { readonly kind: 'full' | 'prefix'; readonly value: string };
}

export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

export interface GrpcRoute {
  readonly meta: Meta;
  readonly hosts: readonly HostMatch[];
  readonly authorizations: readonly Authorization[];
  readonly rules: readonly GrpcRule[];
}

export interface GrpcRule {
  readonly matches: readonly GrpcMatch[];
  /** The wire has no redirect for gRPC. */
  readonly filters: readonly RequestHeadersFilter[];
}

/** Empty `service` or `method` = any. */
export interface GrpcMatch {
  readonly service: string;
  readonly method: string;
  readonly headers: readonly ValueMatch[];
}
