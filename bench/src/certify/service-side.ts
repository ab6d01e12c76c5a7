import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { mintDevToken } from '@gatehouse/shared/dev/dev-tokens';
import { startGrpcServer } from '@gatehouse/shared/grpc/server';
import { silentLog } from '@gatehouse/shared/log';
import { Metrics } from '@gatehouse/shared/metrics';
import { stateDirAt } from '@gatehouse/shared/state-dir';
import { aPod, aServiceAccount } from '@gatehouse/shared/testing/builders';
import { anAuthority, aTlsMaterial } from '@gatehouse/shared/testing/certificates';
import { FakeSource } from '@gatehouse/shared/testing/fake-source';
import { aToken, certifyPath, workload } from './workload.ts';

/** What the service tells the measuring process, which asks for its CPU by any message. */
export type Said =
  | {
      readonly kind: 'up';
      readonly port: number;
      readonly serverName: string;
      readonly trustAnchors: string;
      readonly token: string;
    }
  | { readonly kind: 'used'; readonly cpuMs: number; readonly rssBytes: number };

const say = (said: Said): void => {
  process.send?.(said);
};

/** What stands behind the wire: the service with its log in memory or on disk, or nothing but an answer of the same size. */
export type Behind = 'memory' | 'file' | 'echo';

const behind = process.argv[2] as Behind;
const root = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));
process.once('disconnect', () => process.exit(0));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  say({ kind: 'used', cpuMs: (user + system) / 1_000, rssBytes: process.memoryUsage().rss });
});

const portOf = (address: string): number => Number(new URL(`http://${address}`).port);

const startService = async (): Promise<Said> => {
  const state = stateDirAt(root);
  const { namespace, pod, serviceAccount } = workload;
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'directory:/nowhere',
    GATEHOUSE_STATE_DIR: root,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_GRPC_TLS: 'always',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    ...(behind === 'file' ? { GATEHOUSE_ISSUANCE_LOG: state.issuanceLog } : {}),
  });
  const source = new FakeSource(aPod(pod), aServiceAccount(serviceAccount));
  const service = await startIdentity(config, { source, log: silentLog });
  while ((await fetch(`${service.admin}/ready`)).status !== 200);
  return {
    kind: 'up',
    port: portOf(service.grpc),
    serverName: service.name,
    trustAnchors: readFileSync(state.trustAnchors, 'utf8'),
    token: await mintDevToken({ state, namespace, pod, serviceAccount, now: Date.now() }),
  };
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
    token: Buffer.from(aToken('ES256').token).toString(),
  };
};

say(await (behind === 'echo' ? startEcho() : startService()));
