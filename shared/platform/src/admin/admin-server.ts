import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import { type AdminApp, createAdminApp } from '../http/admin-app.ts';
import type { AdminAuthenticator } from '../http/authenticator.ts';
import { PlainOrTls } from '../http/plain-or-tls.ts';
import type { Route } from '../http/route-table.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { cannotListen } from '../process/listen-error.ts';
import type { Replicas } from '../replicas/replicas.ts';
import type { ServiceName } from '../service/service.ts';
import type { TlsMaterial } from '../tls/material.ts';
import { countRefusals, countRequests, tellRelease } from './admin-metrics.ts';
import { commonRoutes } from './common-routes.ts';
import type { Watched } from './health.ts';
import type { StreamFacts } from './streams.ts';

export type { AdminApp } from '../http/admin-app.ts';

export interface AdminOptions {
  readonly service: ServiceName;
  readonly address: HostPort;
  /** Connections that may be open at once. */
  readonly maxConnections?: number;
  readonly authenticator: AdminAuthenticator;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly source: Watched;
  /** What the service waits for beside its source, each a sentence; empty = ready. */
  readonly reasons: () => readonly string[];
  /** What will not work forever if nobody sees to it, each a sentence for `/v1/health`. */
  readonly warnings?: () => readonly string[];
  readonly streams: () => Iterable<StreamFacts>;
  readonly replicas: Replicas;
  /** Adds the service's own routes, all below `/v1`. */
  readonly routes?: (app: AdminApp) => void;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export interface AdminServer {
  /** `http://host:port` as bound. */
  readonly url: string;
  readonly app: AdminApp;
  /** Every route with its method and what it needs, for tests that walk them all. */
  readonly routes: readonly Route[];
  /** Serves TLS beside plain HTTP from now on, with this leaf, and shows it to other replicas. */
  replaceTlsMaterial(material: TlsMaterial): void;
  close(): Promise<void>;
}

/** Serves the admin port. Throws when the address cannot be had. */
export const startAdmin = async (options: AdminOptions): Promise<AdminServer> => {
  const { address, maxConnections, metrics, replicas, now = Date.now } = options;
  const listener = new PlainOrTls({
    ...(maxConnections === undefined ? {} : { maxConnections }),
    onRefused: countRefusals(metrics),
  });
  const replicaName = replicas.meshName;
  const { app, table, describe } = createAdminApp({ ...options, listener, replicaName, now });
  countRequests(app, metrics);
  tellRelease(metrics);
  commonRoutes(app, { ...options, describe });
  options.routes?.(app);
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (cause) {
    await app.close();
    throw cannotListen('GATEHOUSE_ADMIN_ADDR', address, cause);
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return {
    url: `http://${printHostPort({ host: address.host, port })}`,
    app,
    routes: table.all,
    replaceTlsMaterial: (material) => {
      listener.replaceTlsMaterial(material);
      replicas.replaceTlsMaterial(material);
    },
    close: () => app.close(),
  };
};
