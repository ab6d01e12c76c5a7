import { join } from 'node:path';
import { type AdminServer, startAdmin } from '@gatehouse/shared/admin/admin-server';
import { devIssuer, ensureDevKeys, identityAudience } from '@gatehouse/shared/dev/dev-tokens';
import { type RunningGrpcServer, startGrpcServer } from '@gatehouse/shared/grpc/server';
import { servesTls } from '@gatehouse/shared/grpc/transport-security';
import type { Log } from '@gatehouse/shared/log';
import type { RunningService } from '@gatehouse/shared/service';
import {
  type Doors,
  type ServiceBase,
  type ServiceParts,
  startService,
} from '@gatehouse/shared/start-service';
import type { StateDir } from '@gatehouse/shared/state-dir';
import { replaceFile } from '@gatehouse/shared/state-files';
import { ServingLeaf } from '@gatehouse/shared/tls/serving-leaf';
import { type Certifier, issue } from './certify.ts';
import type { IdentityConfig } from './config.ts';
import { CertifyTurns } from './ports/certify-turns.ts';
import { ensureDevCa } from './ports/dev-ca.ts';
import { countCertificates, measureIdentity } from './ports/identity-metrics.ts';
import { FileIssuanceLog, MemoryIssuanceLog } from './ports/issuance-log.ts';
import type { IssuerFiles } from './ports/issuer-files.ts';
import { IssuerKeeper } from './ports/issuer-keeper.ts';
import { JwksReviewer } from './ports/jwks-reviewer.ts';
import { mintFor } from './ports/own-leaf.ts';
import { identityRoutes } from './ports/rest.ts';
import { certifyMethods } from './ports/serve.ts';
import { TokenKeys } from './ports/token-keys.ts';
import { WatchedCallers } from './ports/watched-callers.ts';

/** Connections get this long to finish what they are at. */
const drainMs = 5_000;

/** Starts identity. Rejects with a GatehouseError that says what to mend; nothing stays open then. */
export const startIdentity = (config: IdentityConfig, parts: ServiceParts = {}): Promise<RunningService> =>
  startService('identity', { config, parts, assemble: (base) => assemble(config, base) });

const assemble = async (config: IdentityConfig, base: ServiceBase): Promise<Doors> => {
  const { supervisor, source, metrics, state, mesh, log, now } = base;
  await ensureDevKeys(state);
  if (config.issuerDir === undefined) await ensureDevCa(state, config.trustDomain, now());

  /** Everybody else reads the anchors of dev mode from the state directory; nobody but us knows of `ca.crt`. */
  const share = (bundle: string): Promise<void> =>
    replaceFile(state.trustAnchors, 'public', bundle).catch((error: unknown) =>
      log.error({ err: error, file: state.trustAnchors }, 'the other services are not told of the new roots'),
    );
  const keeper = new IssuerKeeper({
    files: issuerFilesOf(config, state),
    log: log.child({ part: 'issuer' }),
    now,
    onChange: async ({ bundle }) => {
      leaf.renewSoon();
      if (sharesItsBundle(config)) await share(bundle);
    },
  });
  const callers = new WatchedCallers({ source, maxStalenessMs: config.maxStalenessMs, now });
  const keys = new TokenKeys({ file: state.devJwks, log: log.child({ part: 'token keys' }), now });
  const issued = await openIssuanceLog(config, log);
  if (issued instanceof FileIssuanceLog) supervisor.onEnd('issuance log', () => issued.close());
  const turns = new CertifyTurns({ now: () => performance.now() });
  const certifier: Certifier = {
    mesh,
    profile: { lifetimeMs: config.issuanceLifetimeMs, clockSkewMs: config.clockSkewMs },
    reviewer: new JwksReviewer({
      keys,
      callers,
      issuer: devIssuer,
      audience: identityAudience,
      requirePodBoundToken: config.requirePodBoundToken,
      leewayMs: config.clockSkewMs,
      now,
    }),
    log: issued,
    turns,
    issuer: () => keeper.usable,
    now,
  };
  const leaf = new ServingLeaf({
    obtain: mintFor(base.name, (workload) => issue(certifier, workload)),
    trustAnchors: async () => keeper.current?.bundle ?? '',
    publish: (material) => {
      grpc.replaceTlsMaterial(material);
      admin.replaceTlsMaterial(material);
    },
    log: log.child({ part: 'own leaf' }),
    metrics,
    now,
  });
  measureIdentity(metrics, { keeper, turns, callers });

  await keys.refresh();
  await keeper.check();
  const isTls = servesTls(config.grpcTls, config.grpcAddress.host);
  const grpc: RunningGrpcServer = await startGrpcServer({
    address: config.grpcAddress,
    setting: 'GATEHOUSE_GRPC_ADDR',
    tls: isTls ? {} : 'plaintext',
    methods: countCertificates(certifyMethods(certifier), metrics),
    log: log.child({ part: 'grpc' }),
    metrics,
  });
  supervisor.onEnd('gRPC server', () => grpc.drain(drainMs));
  const admin: AdminServer = await startAdmin({
    service: 'identity',
    address: config.adminAddress,
    authenticator: base.authenticator,
    log: log.child({ part: 'admin' }),
    metrics,
    source,
    reasons: () => [...reasonsOf(keeper), ...(isTls ? [leaf.notReady() ?? []].flat() : [])],
    streams: () => [],
    routes: identityRoutes({ keeper, issued, now }),
    now,
  });
  supervisor.onEnd('admin server', () => admin.close());
  supervisor.run('watch', (signal) => callers.run(signal));
  supervisor.run('issuer files', (signal) => keeper.run(signal));
  if (isTls) supervisor.run('own leaf', (signal) => leaf.run(signal));
  return { grpc, admin };
};

/** A brought issuer without GATEHOUSE_TRUST_ANCHORS brings its bundle as cert-manager does: `ca.crt` beside it. */
const issuerFilesOf = ({ issuerDir, trustAnchors }: IdentityConfig, state: StateDir): IssuerFiles => {
  if (issuerDir === undefined) {
    return {
      issuer: { kind: 'files', certificate: state.issuerCert, key: state.issuerKey },
      anchors: [trustAnchors ?? state.trustAnchors],
    };
  }
  return {
    issuer: { kind: 'folder', path: issuerDir },
    anchors: trustAnchors === undefined ? [join(issuerDir, 'ca.crt'), state.trustAnchors] : [trustAnchors],
  };
};

const sharesItsBundle = ({ issuerDir, trustAnchors }: IdentityConfig): boolean =>
  issuerDir !== undefined && trustAnchors === undefined;

const openIssuanceLog = (
  { issuanceLog }: IdentityConfig,
  log: Log,
): Promise<FileIssuanceLog> | MemoryIssuanceLog =>
  issuanceLog === undefined
    ? new MemoryIssuanceLog()
    : FileIssuanceLog.open(issuanceLog, log.child({ part: 'issuance log' }));

const reasonsOf = (keeper: IssuerKeeper): readonly string[] => {
  if (keeper.usable !== undefined) return [];
  const why = keeper.rejected?.problems.map(({ found }) => found).join('; ');
  return [`no usable issuer${why === undefined ? '' : `: ${why}`}`];
};
