import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certifier, certify } from '@gatehouse/identity/certify/certify';
import { CertifyQueue } from '@gatehouse/identity/certify/certify-queue';
import { MemoryIssuanceLog } from '@gatehouse/identity/ports/issued/issuance-log';
import { ensureDevCa } from '@gatehouse/identity/ports/issuer/dev-ca';
import { IssuerKeeper } from '@gatehouse/identity/ports/issuer/issuer-keeper';
import { JwksReviewer } from '@gatehouse/identity/ports/token/jwks-reviewer';
import { keysOfFile } from '@gatehouse/identity/ports/token/key-source';
import { TokenKeys } from '@gatehouse/identity/ports/token/token-keys';
import { WatchedCallers } from '@gatehouse/identity/ports/token/watched-callers';
import { silentLog } from '@gatehouse/platform/log/log';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { csr, type SignedToken, tokenAudience, tokenIssuer, workload } from './workload.ts';

/** Certify with everything behind it that the service has, but the wire. */
export const corePath = async (signed: SignedToken): Promise<() => Promise<unknown>> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  const state = stateDirAt(folder);
  const file = join(folder, 'jwks.json');
  try {
    await writeFile(file, signed.keySet);
    await ensureDevCa(state, 'cluster.local', Date.now());
    const keeper = new IssuerKeeper({
      files: {
        issuer: { kind: 'files', certificate: state.issuerCert, key: state.issuerKey },
        anchors: [state.trustAnchors],
      },
      mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
      log: silentLog,
      now: Date.now,
      onChange: async () => {},
    });
    await keeper.check();
    const keys = new TokenKeys({
      source: keysOfFile(file, tokenIssuer),
      maxStalenessMs: 90_000,
      log: silentLog,
      now: Date.now,
      elapsed: () => performance.now(),
    });
    await keys.refresh();
    const { name, uid } = workload.pod;
    const source = new FakeSource(aPod({ name, uid }), aServiceAccount({ uid: workload.serviceAccount.uid }));
    const callers = new WatchedCallers({
      source,
      maxStalenessMs: 90_000,
      now: Date.now,
      elapsed: () => performance.now(),
    });
    void callers.run(new AbortController().signal);
    const certifier: Certifier = {
      mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
      profile: { lifetimeMs: 86_400_000, clockSkewMs: 20_000 },
      reviewer: new JwksReviewer({
        keys,
        callers,
        secondOpinion: undefined,
        audience: tokenAudience,
        requirePodBoundToken: true,
        leewayMs: 20_000,
        now: Date.now,
      }),
      log: new MemoryIssuanceLog(),
      queue: new CertifyQueue({ maxBytes: 16 * 1_048_576, now: () => performance.now() }),
      issuer: () => keeper.usable,
      now: Date.now,
    };
    const request = { identity: workload.identity, token: signed.token, certificateSigningRequest: csr };
    const { signal } = new AbortController();
    return () => certify(certifier, request, { from: '10.0.0.1', signal });
  } finally {
    await rm(folder, { recursive: true });
  }
};
