import type { NetworkMatch } from '@gatehouse/core/ip-network';
import { startAdmin } from '@gatehouse/platform/admin/admin-server';
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
import type { PolicyConfig } from './config.ts';
import { inboundMethods } from './ports/inbound/serve-inbound.ts';
import { measurePolicy, updateSeconds } from './ports/measure.ts';
import { outboundMethods } from './ports/outbound/serve-outbound.ts';
import { PolicyWatch } from './ports/policy-watch.ts';
import { policyRoutes } from './ports/rest/rest.ts';
import { RowStreams } from './ports/row-streams.ts';

/** Streams are sent away over this time, so that proxies do not all come to the next replica at once. */
const drainMs = 5_000;

/** Names, an address and a context of a few hundred bytes; each is kept for as long as its stream is open. */
const maxRequestBytes = 8 * 1_024;

/** How long proxies wait for bytes that tell HTTP; Linkerd's value. */
const detectTimeoutMs = 10_000;

/** Starts policy. Rejects with a GatehouseError that says what to mend; nothing stays open then. */
export const startPolicy = (config: PolicyConfig, parts: ServiceParts = {}): Promise<RunningService> =>
  startService('policy', {
    config,
    parts,
    budgets: objectBudgetsOf(config),
    assemble: (base) => assemble(config, base),
  });

const assemble = async (config: PolicyConfig, base: ServiceBase): Promise<ServiceServers> => {
  const { supervisor, source, metrics, mesh, log, now, clock } = base;
  const took = updateSeconds(metrics);
  const watch = new PolicyWatch({
    cluster: {
      mesh,
      defaultPolicy: config.defaultInboundPolicy,
      clusterNetworks: whole(config.clusterNetworks),
      probeNetworks: whole(config.probeNetworks ?? []),
      defaultOpaquePorts: config.defaultOpaquePorts,
      detectTimeoutMs,
    },
    clusterDomain: config.clusterDomain,
    staleness: { maxMs: config.maxStalenessMs, onStale: config.onStale },
    log: log.child({ part: 'watch' }),
    onUpdate: (seconds) => took.observe(seconds),
  });
  const streams = new RowStreams(now);
  measurePolicy(metrics, { watch, streams });
  supervisor.run('watch', (signal) => watch.run(source, signal));

  const { requireReady, settle } = watch;
  const isTls = servesTls(config.grpcTls, config.grpcAddress.host);
  const grpc = await startGrpcServer({
    address: config.grpcAddress,
    setting: 'GATEHOUSE_GRPC_ADDR',
    limits: limitsOf(config),
    maxRequestBytes,
    tls: isTls ? {} : 'plaintext',
    methods: {
      ...inboundMethods({ watch, streams }),
      ...outboundMethods({
        rows: watch.outbound,
        streams,
        clusterDomain: config.clusterDomain,
        requireReady,
        settle,
      }),
    },
    log: log.child({ part: 'grpc' }),
    metrics,
  });
  supervisor.onEnd('gRPC server', () => grpc.drain(drainMs));

  const leaf = ownLeaf(config, {
    ...base,
    log: log.child({ part: 'own leaf' }),
    publish: (material) => {
      grpc.replaceTlsMaterial(material);
      admin.replaceTlsMaterial(material);
    },
  });
  const admin = await startAdmin({
    service: 'policy',
    address: config.adminAddress,
    maxConnections: config.adminMaxConnections,
    authenticator: base.authenticator,
    replicas: base.replicas,
    log: log.child({ part: 'admin' }),
    metrics,
    source,
    reasons: () => [
      ...(watch.isReady ? [] : ['the first lists have not been taken in']),
      ...(isTls ? [leaf.notReady() ?? []].flat() : []),
    ],
    warnings: () => (isTls ? leaf.warnings() : []),
    streams: () => streams.facts(),
    routes: policyRoutes({ watch, clusterDomain: config.clusterDomain }),
    now,
  });
  supervisor.onEnd('admin server', () => admin.close());
  if (isTls) {
    supervisor.run('own leaf', (signal) => leaf.run(signal));
    clock.onJump(() => leaf.look());
  }
  return { grpc, admin };
};

const whole = (networks: readonly NetworkMatch['net'][]): readonly NetworkMatch[] =>
  networks.map((net) => ({ net, except: [] }));
