import { printHostPort } from '@gatehouse/core/host-port';
import type { Meta } from '@gatehouse/core/inbound/inbound-server';
import { Counter, Registry } from 'prom-client';
import { type InboundClient, tlsLabels } from './inbound-client.ts';

/** What is counted: the families of contract/proxy.md §6.6 that speak of authorization. */
export type AuthzCount =
  | 'http_authz_allow'
  | 'http_authz_deny'
  | 'http_route_not_found'
  | 'tcp_authz_allow'
  | 'tcp_authz_deny'
  | 'tcp_authz_terminate';

/** What decided. */
export interface AuthzSubject {
  readonly client: InboundClient;
  readonly port: number;
  readonly server: Meta;
  readonly route: Meta | undefined;
  readonly authorization: Meta | undefined;
}

const helps = {
  http_authz_allow: 'Requests that an authorization admitted',
  http_authz_deny: 'Requests that no authorization admitted',
  http_route_not_found: 'Requests that no route matched',
  tcp_authz_allow: 'Connections that an authorization admitted',
  tcp_authz_deny: 'Connections that no authorization admitted',
  tcp_authz_terminate: 'Connections that a change of policy ended',
} as const satisfies Record<AuthzCount, string>;

const metaNames = ['group', 'kind', 'name'] as const;
const labelNames = [
  ...['target_addr', 'target_ip', 'target_port', 'srv_port', 'tls', 'client_id', 'no_tls_reason', 'sni'],
  ...['srv', 'route', 'authz'].flatMap((prefix) => metaNames.map((name) => `${prefix}_${name}`)),
];

const metaLabels = (prefix: string, meta: Meta | undefined): Record<string, string> => {
  if (meta === undefined) return {};
  const { group, kind, name } =
    meta.kind === 'default' ? { group: '', kind: 'default', name: meta.name } : meta.resource;
  return { [`${prefix}_group`]: group, [`${prefix}_kind`]: kind, [`${prefix}_name`]: name };
};

/** Counts verdicts under linkerd2-proxy's own names, and answers them in the Prometheus text format. */
export class AuthzMetrics {
  readonly #registry = new Registry();
  readonly #podIp: string;
  readonly #counters: Readonly<Record<AuthzCount, Counter>>;

  constructor(podIp: string) {
    this.#podIp = podIp;
    const counter = (name: AuthzCount): Counter =>
      new Counter({
        name: `inbound_${name}_total`,
        help: helps[name],
        labelNames,
        registers: [this.#registry],
      });
    this.#counters = {
      http_authz_allow: counter('http_authz_allow'),
      http_authz_deny: counter('http_authz_deny'),
      http_route_not_found: counter('http_route_not_found'),
      tcp_authz_allow: counter('tcp_authz_allow'),
      tcp_authz_deny: counter('tcp_authz_deny'),
      tcp_authz_terminate: counter('tcp_authz_terminate'),
    };
  }

  count(what: AuthzCount, { client, port, server, route, authorization }: AuthzSubject): void {
    this.#counters[what].inc({
      target_addr: printHostPort({ host: this.#podIp, port }),
      target_ip: this.#podIp,
      target_port: String(port),
      srv_port: String(port),
      ...metaLabels('srv', server),
      ...metaLabels('route', route),
      ...metaLabels('authz', authorization),
      ...tlsLabels(client),
    });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
