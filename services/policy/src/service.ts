import { startAdmin } from '@gatehouse/shared/admin/admin-server';
import { devAdminToken } from '@gatehouse/shared/admin/admin-token';
import { tokenAuthenticator } from '@gatehouse/shared/admin/authenticator';
import type { NetworkMatch } from '@gatehouse/shared/core/ip-network';
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
import type { PolicyConfig } from './config.ts';
import { measurePolicy, updateSeconds } from './ports/measure.ts';
import { ownLeaf } from './ports/own-leaf.ts';
import { PolicyWatch } from './ports/policy-watch.ts';
import { policyRoutes } from './ports/rest.ts';
import { RowStreams } from './ports/row-streams.ts';
import { inboundMethods } from './ports/serve-inbound.ts';
import { outboundMethods } from './ports/serve-outbound.ts';

/** What tests put in place of the real thing. */
export interface PolicyParts {
  readonly source?: Source;
  readonly log?: Log;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** Streams are sent away over this time, so that proxies do not all come to the next replica at once. */
const drainMs = 5_000;

/** How long proxies wait for bytes that tell HTTP; Linkerd's value. */
const detectTimeoutMs = 10_000;

/** Starts policy. Rejects with a GatehouseError that says what to mend; nothing stays open then. */
export const startPolicy = (config: PolicyConfig, parts: PolicyParts = {}): Promise<RunningService> => {
  const log = parts.log ?? createLog({ service: 'policy', level: config.logLevel, format: config.logFormat });
  for (const warning of config.warnings) log.warn(warning);
  const supervisor = new Supervisor({ log });
  return supervisor.build(() => assemble(config, { now: Date.now, ...parts, log, supervisor }));
};

type Assembly = PolicyParts & {
  readonly log: Log;
  readonly now: () => number;
  readonly supervisor: Supervisor;
};

const assemble = async (
  config: PolicyConfig,
  { source: given, log, now, supervisor }: Assembly,
): Promise<RunningService> => {
  // Only a directory source passes the configuration (config.ts), so this is dev mode and has a state directory.
  const state = await openStateDir(config.stateDir);
  const lock = await lockState(state, 'policy');
  supervisor.onEnd('state lock', () => lock.release());
  const mesh: Mesh = { controlPlaneNamespace: config.namespace, trustDomain: config.trustDomain };
  const name = printIdentity(identityOf(mesh, config.namespace, 'gatehouse-policy'));
  const metrics = new Metrics('policy');
  metrics.addProcessMetrics();

  const source = given ?? sourceOf(config, log);
  const took = updateSeconds(metrics);
  const watch = new PolicyWatch({
    cluster: {
      mesh,
      defaultPolicy: config.defaultInboundPolicy,
      clusterNetworks: whole(config.clusterNetworks),
      probeNetworks: whole(config.probeNetworks ?? []),
      detectTimeoutMs,
    },
    clusterDomain: config.clusterDomain,
    defaultOpaquePorts: config.defaultOpaquePorts,
    staleness: { maxMs: config.maxStalenessMs, onStale: config.onStale },
    log: log.child({ part: 'watch' }),
    onUpdate: (seconds) => took.observe(seconds),
    now,
  });
  const streams = new RowStreams(now);
  measurePolicy(metrics, { watch, streams, source, now });
  supervisor.run('watch', (signal) => watch.run(source, signal));

  const { requireReady } = watch;
  const isTls = servesTls(config.grpcTls, config.grpcAddress.host);
  const grpc = await startGrpcServer({
    address: config.grpcAddress,
    setting: 'GATEHOUSE_GRPC_ADDR',
    tls: isTls ? {} : 'plaintext',
    methods: {
      ...inboundMethods({ rows: watch.inbound, streams, requireReady }),
      ...outboundMethods({
        rows: watch.outbound,
        streams,
        clusterDomain: config.clusterDomain,
        requireReady,
      }),
    },
    log: log.child({ part: 'grpc' }),
    metrics,
  });
  supervisor.onEnd('gRPC server', () => grpc.drain(drainMs));

  const admin = await startAdmin({
    service: 'policy',
    address: config.adminAddress,
    authenticator: tokenAuthenticator(await devAdminToken(state)),
    log: log.child({ part: 'admin' }),
    metrics,
    source,
    reasons: () => (isTls ? [leaf.notReady() ?? []].flat() : []),
    streams: () => streams.facts(),
    routes: policyRoutes({ watch, clusterDomain: config.clusterDomain }),
    now,
  });
  supervisor.onEnd('admin server', () => admin.close());
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
  if (isTls) supervisor.run('own leaf', (signal) => leaf.run(signal));
  log.info({ grpc: grpc.address, admin: admin.url, name }, 'policy is up');
  return {
    service: 'policy',
    name,
    grpc: grpc.address,
    admin: admin.url,
    ended: supervisor.ended,
    stop: (reason) => supervisor.stop(reason),
  };
};

const whole = (networks: readonly NetworkMatch['net'][]): readonly NetworkMatch[] =>
  networks.map((net) => ({ net, except: [] }));

const sourceOf = ({ source, namespace }: PolicyConfig, log: Log): Source => {
  switch (source.kind) {
    case 'directory':
      return new DirectorySource({ path: source.path, controlPlaneNamespace: namespace, log });
    case 'kubernetes':
      throw new TypeError('readPolicyConfig lets no Kubernetes source pass');
  }
};
