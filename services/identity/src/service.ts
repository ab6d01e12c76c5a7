import { join } from 'node:path';
import { leafParts, mountedAnchors } from '@gatehouse/platform/own-leaf/own-leaf';
import { ServingLeaf } from '@gatehouse/platform/own-leaf/serving-leaf';
import type { Platform } from '@gatehouse/platform/service/platform';
import type { OwnHalf } from '@gatehouse/platform/service/serve-half';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { ServiceBase, ServiceParts } from '@gatehouse/platform/service/service-base';
import { startService } from '@gatehouse/platform/service/start-service';
import { ensureDevKeys } from '@gatehouse/platform/state/dev-tokens';
import { replaceFile } from '@gatehouse/platform/state/state-files';
import { type Certifier, issue } from './certify/certify.ts';
import { CertifyQueue } from './certify/certify-queue.ts';
import { certifyMethods } from './certify/serve.ts';
import type { IdentityConfig } from './config.ts';
import { countCertificates, countSentAway, measureIdentity } from './ports/identity-metrics.ts';
import { KeysElsewhere } from './ports/issued/keys-elsewhere.ts';
import { openIssuanceLog, type ServiceIssuanceLog } from './ports/issued/open-issuance-log.ts';
import { ensureDevCa } from './ports/issuer/dev-ca.ts';
import { IssuerExpiry } from './ports/issuer/issuer-expiry-watch.ts';
import type { IssuerFiles } from './ports/issuer/issuer-files.ts';
import { IssuerKeeper } from './ports/issuer/issuer-keeper.ts';
import { measureIssuer } from './ports/issuer/issuer-metrics.ts';
import { mintFor } from './ports/issuer/own-leaf.ts';
import type { ProvidedKey } from './ports/issuer/signing-key.ts';
import { identityRoutes } from './ports/rest/rest.ts';
import { openReviewer } from './ports/token/open-reviewer.ts';
import { WatchedCallers } from './ports/token/watched-callers.ts';

/** What a program that starts identity brings itself; the rest is for tests. */
export interface IdentityParts extends ServiceParts {
  /** The issuer's key, where it is not to lie in a file: `tls.crt` alone is read from the issuer's folder then. */
  readonly issuerKey?: ProvidedKey;
}

/** Starts identity. Rejects with a GatehouseError that says what to fix; nothing stays open then. */
export const startIdentity = (config: IdentityConfig, parts: IdentityParts = {}): Promise<RunningService> =>
  startService('identity', { config, parts, assemble: (base) => assemble(config, base, parts.issuerKey) });

const assemble = async (
  config: IdentityConfig,
  base: ServiceBase,
  issuerKey: ProvidedKey | undefined,
): Promise<OwnHalf> => {
  const { supervisor, source, metrics, platform, mesh, log, now, elapsed, replicas } = base;
  if (platform.kind === 'dev') {
    await ensureDevKeys(platform.state);
    if (config.issuerDir === undefined) await ensureDevCa(platform.state, config.trustDomain, now());
  }

  /** Everybody else reads the anchors of dev mode from the state directory; nobody but us knows of `ca.crt`. */
  const share = async (bundle: string): Promise<void> => {
    if (platform.kind !== 'dev' || !sharesItsBundle(config)) return;
    const file = platform.state.trustAnchors;
    await replaceFile(file, 'public', bundle).catch((error: unknown) =>
      log.error({ err: error, file }, 'the other services are not told of the new roots'),
    );
  };
  const keeper = new IssuerKeeper({
    files: withKey(issuerKey, issuerFilesOf(config, platform)),
    mesh,
    log: log.child({ part: 'issuer' }),
    events: base.events,
    now,
    elapsed,
    onChange: async ({ bundle }) => {
      leaf.renewSoon();
      await share(bundle);
    },
  });
  const expiry = new IssuerExpiry({
    keeper,
    leafLifetimeMs: config.issuanceLifetimeMs + config.clockSkewMs,
    log: log.child({ part: 'issuer' }),
    events: base.events,
    now,
    elapsed,
  });
  const callers = new WatchedCallers({ source, maxStalenessMs: config.maxStalenessMs, now, elapsed });
  const { reviewer, keys } = await openReviewer(config, base, callers);
  // The API server knows better than a watch whether a pod exists, where it is asked for each token.
  const isWatching = keys !== undefined;
  const record = await openIssuanceLog(config, { log: log.child({ part: 'issuance log' }), metrics, now });
  const { issued } = record;
  if (record.kind === 'file') supervisor.onEnd('issuance log', () => record.issued.close());
  const queue = new CertifyQueue({
    maxBytes: config.certifyQueueBytes,
    now: elapsed,
    onRefused: countSentAway(metrics),
  });
  const certifier: Certifier = {
    mesh,
    profile: { lifetimeMs: config.issuanceLifetimeMs, clockSkewMs: config.clockSkewMs },
    reviewer,
    log: issued,
    queue,
    issuer: () => keeper.usable,
    now,
  };
  const leaf = new ServingLeaf({
    ...leafParts(base),
    obtain: mintFor(base.identity, (workload) => issue(certifier, workload)),
    trustAnchors: async () => keeper.current?.bundle ?? '',
    advice: 'see that there is a usable issuer (/v1/issuer) and that certificates can be recorded',
  });
  measureIdentity(metrics, { queue, callers });
  measureIssuer(metrics, { keeper, expiry, now });

  await keeper.check();
  if (isWatching) {
    supervisor.run('watch', (signal) => callers.run(signal));
    supervisor.run('token keys', (signal) => keys.run(signal));
  }
  if (replicas.meshName !== undefined) {
    const elsewhere = new KeysElsewhere({ replicas, learn: (one) => issued.learn(one), now, elapsed });
    supervisor.run('keys elsewhere', (signal) => elsewhere.run(signal));
  }
  supervisor.run('issuer files', (signal) => keeper.run(signal));
  supervisor.run('expiry', (signal) => expiry.run(signal));
  return {
    methods: countCertificates(certifyMethods(certifier), metrics),
    leaf,
    reasons: () => [...reasonsOf(keeper), ...[keys?.notReady() ?? []].flat(), ...recordReasons(record)],
    warnings: () => expiry.warnings().map(({ found, fix }) => `${found}: ${fix}`),
    watches: isWatching ? 'its source' : 'nothing',
    routes: identityRoutes({ keeper, expiry, record, replicas, now }),
  };
};

/** Where our own manifests mount the issuer's Secret (design §3). */
const mountedIssuer = '/var/run/gatehouse/issuer';

/** A brought issuer without GATEHOUSE_TRUST_ANCHORS brings its bundle as cert-manager does: `ca.crt` beside it. */
const issuerFilesOf = ({ issuerDir, trustAnchors }: IdentityConfig, platform: Platform): IssuerFiles => {
  const beside = (path: string): string => join(path, 'ca.crt');
  if (platform.kind === 'cluster') {
    const path = issuerDir ?? mountedIssuer;
    return {
      issuer: { kind: 'folder', path },
      // The bundle that the whole mesh has comes first: during a change of roots it holds the old one too.
      anchors: trustAnchors === undefined ? [mountedAnchors, beside(path)] : [trustAnchors],
    };
  }
  const { state } = platform;
  if (issuerDir === undefined) {
    return {
      issuer: { kind: 'files', certificate: state.issuerCert, key: state.issuerKey },
      anchors: [trustAnchors ?? state.trustAnchors],
    };
  }
  return {
    issuer: { kind: 'folder', path: issuerDir },
    anchors: trustAnchors === undefined ? [beside(issuerDir), state.trustAnchors] : [trustAnchors],
  };
};

const withKey = (key: ProvidedKey | undefined, { issuer, anchors }: IssuerFiles): IssuerFiles => {
  if (key === undefined) return { issuer, anchors };
  const certificate = issuer.kind === 'folder' ? join(issuer.path, 'tls.crt') : issuer.certificate;
  return { issuer: { kind: 'files', certificate, key }, anchors };
};

const sharesItsBundle = ({ issuerDir, trustAnchors }: IdentityConfig): boolean =>
  issuerDir !== undefined && trustAnchors === undefined;

/** A replica that can record nothing signs nothing: let the proxies go to others. */
const recordReasons = (record: ServiceIssuanceLog): readonly string[] => {
  const failure = record.kind === 'file' ? record.issued.failure : undefined;
  if (failure === undefined) return [];
  const since = new Date(failure.since).toISOString();
  return [`the issuance log cannot be written since ${since} (${failure.why})`];
};

const reasonsOf = (keeper: IssuerKeeper): readonly string[] => {
  if (keeper.usable !== undefined) return [];
  return [['no usable issuer', keeper.whyUnusable().join('; ')].filter(Boolean).join(': ')];
};
