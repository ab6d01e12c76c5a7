import { fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { ensureDevCa } from '@gatehouse/identity/ports/issuer/dev-ca';
import { startIdentity } from '@gatehouse/identity/service';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { RunningService } from '@gatehouse/platform/service/service';
import { mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import type { ApiSaid } from './api-side.ts';
import { aToken, certifyPath, workload } from './workload.ts';

/** What the service tells the measuring process, which asks for its CPU by any message. */
export type Said =
  | {
      readonly kind: 'up';
      readonly port: number;
      readonly serverName: string;
      readonly trustAnchors: string;
      /** Good ones, of a pod each. */
      readonly tokens: readonly [string, ...string[]];
    }
  | {
      readonly kind: 'used';
      readonly cpuMs: number;
      readonly rssBytes: number;
      /** What the heap holds, after a collection where the process may ask for one. */
      readonly heapBytes: number;
    };

const say = (said: Said): void => {
  process.send?.(said);
};

/**
 * What stands behind the wire: the service on a folder, with its log in memory or on disk; the service on a fake API server
 * in a process of its own, which reviews each token or only publishes its keys; or nothing but an answer of the same size.
 */
export type Behind = 'memory' | 'file' | 'token-review' | 'jwks' | 'echo';

const behind = process.argv[2] as Behind;
const pods = Number(process.argv[3] ?? 1);
const root = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));
process.once('disconnect', () => process.exit(0));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage();
  say({ kind: 'used', cpuMs: (user + system) / 1_000, rssBytes, heapBytes });
});

const portOf = (address: string): number => Number(new URL(`http://${address}`).port);

const common = {
  GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
  GATEHOUSE_GRPC_TLS: 'always',
  GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
};

const upOf = async (
  service: RunningService,
  trustAnchors: string,
  tokens: readonly string[],
): Promise<Said> => {
  while ((await fetch(`${service.admin}/ready`)).status !== 200);
  const [first, ...others] = tokens;
  if (first === undefined) throw new Error('there is no pod');
  return {
    kind: 'up',
    port: portOf(service.grpc),
    serverName: service.name,
    trustAnchors,
    tokens: [first, ...others],
  };
};

const startOnFolder = async (): Promise<Said> => {
  const state = stateDirAt(root);
  const { namespace, serviceAccount } = workload;
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'directory:/nowhere',
    GATEHOUSE_STATE_DIR: root,
    ...common,
    ...(behind === 'file' ? { GATEHOUSE_ISSUANCE_LOG: state.issuanceLog } : {}),
  });
  const all = Array.from({ length: pods }, (_, index) => aPod({ name: `frontend-${index}` }));
  const source = new FakeSource(aServiceAccount(serviceAccount), ...all);
  const service = await startIdentity(config, { source, log: silentLog });
  const tokens: string[] = [];
  for (const { meta: pod } of all) {
    tokens.push(await mintDevToken({ state, namespace, pod, serviceAccount, now: Date.now() }));
  }
  return upOf(service, readFileSync(state.trustAnchors, 'utf8'), tokens);
};

/** The API server is a process of its own, so that its work is not taken for ours. */
const startOnCluster = async (reviewer: 'token-review' | 'jwks'): Promise<Said> => {
  const kubeconfig = join(root, 'kubeconfig');
  const apiServer = fork(join(import.meta.dirname, 'api-side.ts'), [kubeconfig, `${pods}`]);
  const [{ tokens }] = (await once(apiServer, 'message')) as [ApiSaid];
  const state = stateDirAt(root);
  await ensureDevCa(state, 'cluster.local', Date.now());
  copyFileSync(state.issuerCert, join(root, 'tls.crt'));
  copyFileSync(state.issuerKey, join(root, 'tls.key'));
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'kubernetes',
    KUBECONFIG: kubeconfig,
    GATEHOUSE_ISSUER_DIR: root,
    GATEHOUSE_TRUST_ANCHORS: state.trustAnchors,
    GATEHOUSE_TOKEN_REVIEWER: reviewer,
    // What is measured is our work for a review, not how long it waits for its turn.
    GATEHOUSE_TOKEN_REVIEW_RATE: '100000',
    GATEHOUSE_TOKEN_REVIEW_BURST: '100000',
    ...common,
  });
  const service = await startIdentity(config, { log: silentLog });
  return upOf(service, readFileSync(state.trustAnchors, 'utf8'), tokens);
};

const startEcho = async (): Promise<Said> => {
  const issuer = anAuthority({ name: 'issuer' });
  const serverName = 'echo.gatehouse';
  // A leaf, its issuer and the fields around them.
  const answer = Buffer.alloc(1_200, 0x5a);
  const server = await startGrpcServer({
    address: { host: '127.0.0.1', port: 0 },
    tls: { material: aTlsMaterial(issuer, { name: serverName }) },
    methods: { [certifyPath]: { kind: 'unary', handle: () => answer } },
    log: silentLog,
    metrics: new Metrics('echo'),
  });
  return {
    kind: 'up',
    port: portOf(server.address),
    serverName,
    trustAnchors: issuer.pem,
    tokens: [Buffer.from(aToken('ES256').token).toString()],
  };
};

const start = (): Promise<Said> => {
  switch (behind) {
    case 'memory':
    case 'file':
      return startOnFolder();
    case 'token-review':
    case 'jwks':
      return startOnCluster(behind);
    case 'echo':
      return startEcho();
  }
};

say(await start());
