import { type AdminOptions, startAdmin } from '../admin/admin-server.ts';
import { startGrpcServer } from '../grpc/server.ts';
import { limitsOf } from '../grpc/server-limits.ts';
import type { Methods } from '../grpc/transport.ts';
import { servesTls } from '../grpc/transport-security.ts';
import type { ServingLeaf } from '../own-leaf/serving-leaf.ts';
import type { SharedConfig } from '../settings/settings.ts';
import type { OpenStreams } from './open-streams.ts';
import type { RunningService } from './service.ts';
import type { ServiceBase } from './service-base.ts';
import { measureStreams } from './stream-metrics.ts';

/** What a service has of its own; the half that all have in common serves it. */
export interface OwnHalf {
  /** What it answers to proxies. */
  readonly methods: Methods;
  /** The certificate that it shows to them; not obtained while it serves plaintext. */
  readonly leaf: ServingLeaf;
  /** Its open streams, for a service whose methods are streams. */
  readonly streams?: OpenStreams<string>;
  /** Why it is not ready, beside its source and its certificate, each a sentence; empty = ready. */
  readonly reasons?: () => readonly string[];
  /** What will not work forever if nobody sees to it, each a sentence. */
  readonly warnings?: () => readonly string[];
  /** Whether it waits for its source; a service that asks the API server for each call does not. */
  readonly watches?: 'its source' | 'nothing';
  /** Where it serves admission webhooks, for one that does. */
  readonly webhook?: string;
  /** Its part of the REST API, all below `/v1`. */
  readonly routes: NonNullable<AdminOptions['routes']>;
}

/** Streams are sent away over this time, so that proxies do not all come to the next replica at once. */
const drainMs = 5_000;

/** Names, an address and a context of a few hundred bytes; each is kept for as long as its stream is open. */
const maxStreamRequestBytes = 8 * 1_024;

/**
 * Serves gRPC and the admin port, with the service's own certificate where it speaks TLS. Whether the service is ready is
 * said here and nowhere else (design §15 number 12).
 */
export const serveHalf = async (
  half: OwnHalf,
  config: SharedConfig,
  base: ServiceBase,
): Promise<Pick<RunningService, 'grpc' | 'admin'>> => {
  const { service, supervisor, metrics, log, now, clock, source, authenticator, replicas } = base;
  const { leaf, streams, reasons = () => [], warnings = () => [], watches = 'its source' } = half;
  const isTls = servesTls(config.grpcTls, config.grpcAddress.host);
  if (streams !== undefined) measureStreams(metrics, { service, streams });
  const grpc = await startGrpcServer({
    address: config.grpcAddress,
    setting: 'GATEHOUSE_GRPC_ADDR',
    limits: limitsOf(config),
    ...(streams === undefined ? {} : { maxRequestBytes: maxStreamRequestBytes }),
    tls: isTls ? {} : 'plaintext',
    methods: half.methods,
    log: log.child({ part: 'grpc' }),
    metrics,
  });
  supervisor.onEnd('gRPC server', () => grpc.drain(drainMs));
  const admin = await startAdmin({
    service,
    address: config.adminAddress,
    maxConnections: config.adminMaxConnections,
    authenticator,
    replicas,
    log: log.child({ part: 'admin' }),
    metrics,
    source: watches === 'nothing' ? 'watches nothing' : source,
    reasons: () => [...reasons(), ...(isTls ? [leaf.notReady() ?? []].flat() : [])],
    warnings: () => [...warnings(), ...(isTls ? leaf.warnings() : [])],
    streams: () => streams?.facts() ?? [],
    routes: half.routes,
    now,
  });
  supervisor.onEnd('admin server', () => admin.close());
  if (isTls) {
    supervisor.run('own leaf', (signal) =>
      leaf.run((material) => {
        grpc.replaceTlsMaterial(material);
        admin.replaceTlsMaterial(material);
      }, signal),
    );
    clock.onJump(() => leaf.look());
  }
  return { grpc: grpc.address, admin: admin.url };
};
