import { type AdminServer, startAdmin } from '@gatehouse/shared/admin/admin-server';
import { devAdminToken } from '@gatehouse/shared/admin/admin-token';
import { tokenAuthenticator } from '@gatehouse/shared/admin/authenticator';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/shared/core/workload-identity';
import { startGrpcServer } from '@gatehouse/shared/grpc/server';
import { servesTls } from '@gatehouse/shared/grpc/transport-security';
import type { Source } from '@gatehouse/shared/kube/changes';
import { DirectorySource } from '@gatehouse/shared/kube/directory-source';
import { createLog, type Log } from '@gatehouse/shared/log';
import { Metrics } from '@gatehouse/shared/metrics';
import type { RunningService } from '@gatehouse/shared/service';
import { openStateDir } from '@gatehouse/shared/state-dir';
import { lockState } from '@gatehouse/shared/state-lock';
import { Supervisor } from '@gatehouse/shared/supervise';
import type { DestinationConfig } from './config.ts';
import { measureDestination } from './ports/measure.ts';
import { ownLeaf } from './ports/own-leaf.ts';
import { destinationRoutes } from './ports/rest.ts';
import { DestinationServer } from './ports/serve.ts';
import { ClusterWatch } from './ports/watch.ts';

/** What tests put in place of the real thing. */
export interface DestinationParts {
  readonly source?: Source;
  readonly log?: Log;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** Streams are sent away over this time, so that proxies do not all come to the next replica at once. */
const drainMs = 5_000;

/** Starts destination. Rejects with a GatehouseError that says what to mend; nothing stays open then. */
export const startDestination = (
  config: DestinationConfig,
  parts: DestinationParts = {},
): Promise<RunningService> => {
  const log =
    parts.log ?? createLog({ service: 'destination', level: config.logLevel, format: config.logFormat });
  for (const warning of config.warnings) log.warn(warning);
  const supervisor = new Supervisor({ log });
  return supervisor.build(() => assemble(config, { now: Date.now, ...parts, log, supervisor }));
};

type Assembly = DestinationParts & {
  readonly log: Log;
  readonly now: () => number;
  readonly supervisor: Supervisor;
};

const assemble = async (
  config: DestinationConfig,
  { source: given, log, now, supervisor }: Assembly,
): Promise<RunningService> => {
  // Only a directory source passes the configuration (config.ts), so this is dev mode and has a state directory.
  const state = await openStateDir(config.stateDir);
  const lock = await lockState(state, 'destination');
  supervisor.onEnd('state lock', () => lock.release());
  const mesh: Mesh = { controlPlaneNamespace: config.namespace, trustDomain: config.trustDomain };
  const name = printIdentity(identityOf(mesh, config.namespace, 'gatehouse-destination'));
  const metrics = new Metrics('destination');
  metrics.addProcessMetrics();

  const source = given ?? sourceOf(config, log);
  const { clusterDomain, defaultOpaquePorts } = config;
  const watch = new ClusterWatch({ mesh, clusterDomain, defaultOpaquePorts });
  const server = new DestinationServer(watch, now);
  measureDestination(metrics, { watch, server });
  supervisor.run('watch', (signal) => watch.run(source, signal));

  const isTls = servesTls(config.grpcTls, config.grpcAddress.host);
  const grpc = await startGrpcServer({
    address: config.grpcAddress,
    setting: 'GATEHOUSE_GRPC_ADDR',
    tls: isTls ? {} : 'plaintext',
    methods: server.methods,
    log: log.child({ part: 'grpc' }),
    metrics,
  });
  supervisor.onEnd('first messages', () => server.admission.close());
  supervisor.onEnd('gRPC server', () => grpc.drain(drainMs));

  const leaf = ownLeaf(config, {
    state,
    name,
    now,
    metrics,
    log: log.child({ part: 'own leaf' }),
    publish: (material) => {
      grpc.replaceTlsMaterial(material);
      admin.replaceTlsMaterial(material);
    },
  });
  const admin: AdminServer = await startAdmin({
    service: 'destination',
    address: config.adminAddress,
    authenticator: tokenAuthenticator(await devAdminToken(state)),
    log: log.child({ part: 'admin' }),
    metrics,
    source,
    reasons: () => (isTls ? [leaf.notReady() ?? []].flat() : []),
    streams: () => server.streams.facts(),
    routes: destinationRoutes(watch),
    now,
  });
  supervisor.onEnd('admin server', () => admin.close());
  if (isTls) supervisor.run('own leaf', (signal) => leaf.run(signal));
  log.info({ grpc: grpc.address, admin: admin.url, name }, 'destination is up');
  return {
    service: 'destination',
    name,
    grpc: grpc.address,
    admin: admin.url,
    ended: supervisor.ended,
    stop: (reason) => supervisor.stop(reason),
  };
};

const sourceOf = ({ source, namespace }: DestinationConfig, log: Log): Source => {
  switch (source.kind) {
    case 'directory':
      return new DirectorySource({ path: source.path, controlPlaneNamespace: namespace, log });
    case 'kubernetes':
      throw new TypeError('readDestinationConfig lets no Kubernetes source pass');
  }
};
