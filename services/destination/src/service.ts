import { type AdminServer, startAdmin } from '@gatehouse/platform/admin/admin-server';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { limitsOf } from '@gatehouse/platform/grpc/server-limits';
import { servesTls } from '@gatehouse/platform/grpc/transport-security';
import { ownLeaf } from '@gatehouse/platform/own-leaf/own-leaf';
import type { RunningService } from '@gatehouse/platform/service/service';
import {
  type ServiceBase,
  type ServiceParts,
  type ServiceServers,
  startService,
} from '@gatehouse/platform/service/start-service';
import { objectBudgetsOf } from '@gatehouse/platform/settings/budget-settings';
import type { DestinationConfig } from './config.ts';
import { measureDestination } from './ports/measure.ts';
import { destinationRoutes } from './ports/rest/rest.ts';
import { DestinationServer } from './ports/serve.ts';
import { ClusterWatch } from './ports/watch.ts';

/** Streams are sent away over this time, so that proxies do not all come to the next replica at once. */
const drainMs = 5_000;

/** Names, an address and a context of a few hundred bytes; each is kept for as long as its stream is open. */
const maxRequestBytes = 8 * 1_024;

/** Starts destination. Rejects with a GatehouseError that says what to mend; nothing stays open then. */
export const startDestination = (
  config: DestinationConfig,
  parts: ServiceParts = {},
): Promise<RunningService> =>
  startService('destination', {
    config,
    parts,
    budgets: objectBudgetsOf(config),
    assemble: (base) => assemble(config, base),
  });

const assemble = async (config: DestinationConfig, base: ServiceBase): Promise<ServiceServers> => {
  const { supervisor, source, metrics, mesh, log, now, clock } = base;
  const { clusterDomain, defaultOpaquePorts } = config;
  const watch = new ClusterWatch({ mesh, clusterDomain, defaultOpaquePorts });
  const server = new DestinationServer(watch, now);
  measureDestination(metrics, { watch, server });
  supervisor.run('watch', (signal) => watch.run(source, signal));

  const isTls = servesTls(config.grpcTls, config.grpcAddress.host);
  const grpc = await startGrpcServer({
    address: config.grpcAddress,
    setting: 'GATEHOUSE_GRPC_ADDR',
    limits: limitsOf(config),
    maxRequestBytes,
    tls: isTls ? {} : 'plaintext',
    methods: server.methods,
    log: log.child({ part: 'grpc' }),
    metrics,
  });
  supervisor.onEnd('first messages', () => server.admission.close());
  supervisor.onEnd('gRPC server', () => grpc.drain(drainMs));

  const leaf = ownLeaf(config, {
    ...base,
    log: log.child({ part: 'own leaf' }),
    publish: (material) => {
      grpc.replaceTlsMaterial(material);
      admin.replaceTlsMaterial(material);
    },
  });
  const admin: AdminServer = await startAdmin({
    service: 'destination',
    address: config.adminAddress,
    maxConnections: config.adminMaxConnections,
    authenticator: base.authenticator,
    replicas: base.replicas,
    log: log.child({ part: 'admin' }),
    metrics,
    source,
    reasons: () => (isTls ? [leaf.notReady() ?? []].flat() : []),
    warnings: () => (isTls ? leaf.warnings() : []),
    streams: () => server.streams.facts(),
    routes: destinationRoutes(watch),
    now,
  });
  supervisor.onEnd('admin server', () => admin.close());
  if (isTls) {
    supervisor.run('own leaf', (signal) => leaf.run(signal));
    clock.onJump(() => leaf.look());
  }
  return { grpc, admin };
};
