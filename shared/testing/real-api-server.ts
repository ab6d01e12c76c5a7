import { createPublicKey, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aKey } from '@gatehouse/dev/certificates';
import { freePort } from './free-port.ts';
import { RealEtcd } from './real-etcd.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/** A real kube-apiserver with an etcd of its own, both on loopback and gone after `stop`. */
export interface RealApiServer {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** The path of a kubeconfig that may do everything (group system:masters). */
  readonly kubeconfig: string;
  /** The bearer token that the kubeconfig holds. */
  readonly token: string;
  /** PEM: what signed the server's certificate. */
  readonly ca: string;
  /** What it signs ServiceAccount tokens with (ES256) until that is rotated, for tokens that it would not make. */
  readonly tokenKey: KeyObject;
  /** Starts it again with a new key for tokens; those of the old key stay good or not. */
  rotateTokenKey(old: 'kept' | 'dropped'): Promise<void>;
  /** Ends the API server, does `meanwhile` with its etcd, and starts it again as it was, at the same address. */
  restart(meanwhile?: (etcd: RealEtcd) => Promise<void>): Promise<void>;
  /** Ends both processes by their pids and removes all that they wrote. */
  stop(): Promise<void>;
}

export interface RealApiServerOptions {
  /** AlwaysAllow unless permissions are what is tested. */
  readonly authorization?: 'AlwaysAllow' | 'RBAC';
}

/** Why the tests on a real API server are skipped, or the folder that holds `etcd` and `kube-apiserver`. */
export const realApiServerAssets = (
  env: Readonly<Record<string, string | undefined>> = process.env,
): { readonly assets: string; readonly skip: false | string } => {
  const assets = env.KUBEBUILDER_ASSETS ?? '';
  const reason = 'KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver';
  return { assets, skip: assets === '' ? reason : false };
};

/** Enough for a loaded machine with two cores; a healthy start takes a few seconds. */
const startDeadlineMs = 180_000;

/** An API server waits for its watches to end; one that is restarted is as likely to have crashed. */
const restartGraceMs = 1_000;

/**
 * Starts the two binaries of a folder, as envtest does, and answers once `/readyz` does. Whatever the binaries say about
 * their version is not looked at: some builds say `v0.0.0-…`. There are no controllers: nobody makes default
 * ServiceAccounts, so their admission is off, and nobody sets the status of a pod but the test.
 */
export const startRealApiServer = async (
  assets: string,
  { authorization = 'AlwaysAllow' }: RealApiServerOptions = {},
): Promise<RealApiServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-api-server-'));
  let etcd: RealEtcd | undefined;
  let apiServer: ServerProcess | undefined;
  const stop = async (): Promise<void> => {
    await apiServer?.stop();
    await etcd?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const token = await writeToken(folder);
    const tokenKey = await writeTokenKey(folder, 0);
    let tokenKeys: TokenKeyNumbers = [0];
    const port = await freePort();
    const store = await RealEtcd.start(assets, folder);
    etcd = store;
    const url = `https://127.0.0.1:${port}`;
    const certificate = join(folder, 'serving', 'apiserver.crt');
    const start = async (): Promise<void> => {
      apiServer = startServerProcess(join(assets, 'kube-apiserver'), {
        log: join(folder, 'kube-apiserver.log'),
        args: apiServerFlags({ folder, port, etcd: store.url, authorization, tokenKeys }),
      });
      await untilReady({ url, token, certificate, processes: [store.process, apiServer] });
    };
    await start();
    const ca = await readFile(certificate, 'utf8');
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigOf({ url, token, ca }), { mode: 0o600 });
    const restart = async (meanwhile?: (etcd: RealEtcd) => Promise<void>): Promise<void> => {
      await apiServer?.stop(restartGraceMs);
      await meanwhile?.(store);
      await start();
    };
    const rotateTokenKey = async (old: 'kept' | 'dropped'): Promise<void> => {
      const [last, ...older] = tokenKeys;
      await writeTokenKey(folder, last + 1);
      tokenKeys = old === 'kept' ? [last + 1, last, ...older] : [last + 1];
      await restart();
    };
    return { url, kubeconfig, token, ca, tokenKey, restart, rotateTokenKey, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** The keys of tokens by their number: the first signs, all are believed. */
type TokenKeyNumbers = readonly [number, ...number[]];

const privateKeyOf = (folder: string, number: number): string =>
  join(folder, `service-account-${number}.key`);
const publicKeyOf = (folder: string, number: number): string => join(folder, `service-account-${number}.pub`);

const apiServerFlags = (options: {
  readonly folder: string;
  readonly port: number;
  /** Its URL. */
  readonly etcd: string;
  readonly authorization: string;
  readonly tokenKeys: TokenKeyNumbers;
}): readonly string[] => [
  `--etcd-servers=${options.etcd}`,
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  `--secure-port=${options.port}`,
  `--cert-dir=${join(options.folder, 'serving')}`,
  `--authorization-mode=${options.authorization}`,
  `--token-auth-file=${join(options.folder, 'tokens.csv')}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-signing-key-file=${privateKeyOf(options.folder, options.tokenKeys[0])}`,
  ...options.tokenKeys.map((number) => `--service-account-key-file=${publicKeyOf(options.folder, number)}`),
  '--service-cluster-ip-range=10.96.0.0/16',
  // A loopback address cannot be an endpoint of the Service `kubernetes`.
  '--endpoint-reconciler-type=none',
  '--disable-admission-plugins=ServiceAccount',
  '--shutdown-delay-duration=0s',
];

/** One static token. */
const writeToken = async (folder: string): Promise<string> => {
  const token = crypto.randomUUID();
  await writeFile(join(folder, 'tokens.csv'), `${token},tester,tester,system:masters\n`, { mode: 0o600 });
  return token;
};

/** A key that signs ServiceAccount tokens. */
const writeTokenKey = async (folder: string, number: number): Promise<KeyObject> => {
  const key = aKey();
  const pkcs8 = key.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(privateKeyOf(folder, number), pkcs8, { mode: 0o600 });
  await writeFile(publicKeyOf(folder, number), createPublicKey(key).export({ type: 'spki', format: 'pem' }));
  return key;
};

const kubeconfigOf = ({ url, token, ca }: { url: string; token: string; ca: string }): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
    clusters: [
      {
        name: 'test',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'tester', user: { token } }],
  });

const untilReady = async ({
  url,
  token,
  certificate,
  processes,
}: {
  readonly url: string;
  readonly token: string;
  readonly certificate: string;
  readonly processes: readonly (ServerProcess | undefined)[];
}): Promise<void> => {
  const deadline = AbortSignal.timeout(startDeadlineMs);
  while (!(await isReady(url, token, certificate))) {
    const ended = processes.find((process) => process?.ended() === true);
    if (ended !== undefined) throw new Error(await ended.lastWords('ended before it was ready'));
    const slow = processes.at(-1);
    if (deadline.aborted && slow !== undefined) throw new Error(await slow.lastWords('is not ready in time'));
    await sleep(100);
  }
};

const isReady = async (url: string, token: string, certificate: string): Promise<boolean> => {
  // Written by the API server while it starts; until then there is nobody to ask.
  const ca = await readFile(certificate, 'utf8').catch(() => undefined);
  if (ca === undefined) return false;
  const agent = new Agent({ ca });
  try {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    request(`${url}/readyz`, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode === 200));
    })
      .once('error', () => resolve(false))
      .end();
    return await promise;
  } finally {
    agent.destroy();
  }
};
