import { join } from 'node:path';
import { startAdmin } from '@gatehouse/shared/admin/admin-server';
import { devAdminToken } from '@gatehouse/shared/admin/admin-token';
import { tokenAuthenticator } from '@gatehouse/shared/admin/authenticator';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/shared/core/workload-identity';
import { devIssuer, ensureDevKeys, identityAudience } from '@gatehouse/shared/dev/dev-tokens';
import { startGrpcServer } from '@gatehouse/shared/grpc/server';
import { servesTls } from '@gatehouse/shared/grpc/transport-security';
import type { Source } from '@gatehouse/shared/kube/changes';
import { DirectorySource } from '@gatehouse/shared/kube/directory-source';
import { createLog, type Log } from '@gatehouse/shared/log';
import { Metrics } from '@gatehouse/shared/metrics';
import type { RunningService } from '@gatehouse/shared/service';
import { openStateDir, type StateDir } from '@gatehouse/shared/state-dir';
import { replaceFile } from '@gatehouse/shared/state-files';
import { lockState } from '@gatehouse/shared/state-lock';
import { Supervisor } from '@gatehouse/shared/supervise';
import { type Certifier, issue } from './certify.ts';
import type { IdentityConfig } from './config.ts';
import { CertifyTurns } from './ports/certify-turns.ts';
import { ensureDevCa } from './ports/dev-ca.ts';
import { countCertificates, measureIdentity } from './ports/identity-metrics.ts';
import { FileIssuanceLog, MemoryIssuanceLog } from './ports/issuance-log.ts';
import type { IssuerFiles } from './ports/issuer-files.ts';
import { IssuerKeeper } from './ports/issuer-keeper.ts';
import { JwksReviewer } from './ports/jwks-reviewer.ts';
import { OwnLeaf } from './ports/own-leaf.ts';
import { identityRoutes } from './ports/rest.ts';
import { certifyMethods } from './ports/serve.ts';
import { TokenKeys } from './ports/token-keys.ts';
import { WatchedCallers } from './ports/watched-callers.ts';

/** What tests put in place of the real thing. */
export interface IdentityParts {
  readonly source?: Source;
  readonly log?: Log;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Connections get this long to finish what they are at. */
const drainMs = 5_000;

/** Starts identity. Rejects with a GatehouseError that says what to mend; nothing stays open then. */
export const startIdentity = (config: IdentityConfig, parts: IdentityParts = {}): Promise<RunningService> => {
  const log =
    parts.log ?? createLog({ service: 'identity', level: config.logLevel, format: config.logFormat });
  for (const warning of config.warnings) log.warn(warning);
  const supervisor = new Supervisor({ log });
  return supervisor.build(() => assemble(config, { now: Date.now, ...parts, log, supervisor }));
};

const assemble = async (
  config: IdentityConfig,
  {
    source: given,
    log,
    now,
    supervisor,
  }: IdentityParts & { log: Log; now: () => number; supervisor: Supervisor },
): Promise<RunningService> => {
  // Only a directory source passes the configuration (config.ts), so this is dev mode: exactly then a CA and keys are made.
  const state = await openStateDir(config.stateDir);
  const lock = await lockState(state, 'identity');
  supervisor.onEnd('state lock', () => lock.release());
  const mesh: Mesh = { controlPlaneNamespace: config.namespace, trustDomain: config.trustDomain };
  await ensureDevKeys(state);
  if (config.issuerDir === undefined) await ensureDevCa(state, config.trustDomain, now());

  const metrics = new Metrics('identity');
  metrics.addProcessMetrics();
  const keeper = new IssuerKeeper({
    files: issuerFilesOf(config, state),
    log: log.child({ part: 'issuer' }),
    now,
    onChange: async ({ bundle }) => {
      if (sharesItsBundle(config)) await replaceFile(state.trustAnchors, 'public', bundle);
      ownLeaf.renewSoon();
    },
  });
  const source = given ?? sourceOf(config, log);
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
  const name = printIdentity(identityOf(mesh, config.namespace, 'gatehouse-identity'));
  const ownLeaf = new OwnLeaf({
    identity: name,
    issue: (workload) => issue(certifier, workload),
    trustAnchors: () => keeper.current?.bundle ?? '',
    log: log.child({ part: 'own leaf' }),
    now,
  });
  measureIdentity(metrics, { keeper, turns, callers });

  await keys.refresh();
  await keeper.check();
  supervisor.run('watch', (signal) => callers.run(signal));
  supervisor.run('issuer files', (signal) => keeper.run(signal));

  const isTls = servesTls(config.grpcTls, config.grpcAddress.host);
  if (isTls) await ownLeaf.renew();
  const grpc = await startGrpcServer({
    address: config.grpcAddress,
    setting: 'GATEHOUSE_GRPC_ADDR',
    tls: isTls ? tlsOf(ownLeaf) : 'plaintext',
    methods: countCertificates(certifyMethods(certifier), metrics),
    log: log.child({ part: 'grpc' }),
    metrics,
  });
  supervisor.onEnd('gRPC server', () => grpc.drain(drainMs));
  if (isTls) {
    ownLeaf.onRenewed((material) => grpc.replaceTlsMaterial(material));
    supervisor.run('own leaf', (signal) => ownLeaf.run(signal));
  }
  const admin = await startAdmin({
    service: 'identity',
    address: config.adminAddress,
    authenticator: tokenAuthenticator(await devAdminToken(state)),
    log: log.child({ part: 'admin' }),
    metrics,
    source,
    reasons: () => reasonsOf(keeper),
    streams: () => [],
    routes: identityRoutes({ keeper, issued, now }),
    now,
  });
  supervisor.onEnd('admin server', () => admin.close());
  log.info({ grpc: grpc.address, admin: admin.url, name }, 'identity is up');
  return {
    service: 'identity',
    name,
    grpc: grpc.address,
    admin: admin.url,
    ended: supervisor.ended,
    stop: (reason) => supervisor.stop(reason),
  };
};

const sourceOf = ({ source, namespace }: IdentityConfig, log: Log): Source => {
  switch (source.kind) {
    case 'directory':
      return new DirectorySource({ path: source.path, controlPlaneNamespace: namespace, log });
    case 'kubernetes':
      throw new TypeError('readIdentityConfig lets no Kubernetes source pass');
  }
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

/** Everybody else reads the anchors of dev mode from the state directory; nobody but us knows that `ca.crt`. */
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

const tlsOf = ({ material }: OwnLeaf) => (material === undefined ? {} : { material });
