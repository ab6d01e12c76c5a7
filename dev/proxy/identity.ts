import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { type Certified, certify } from '@gatehouse/platform/own-leaf/certify-client';
import { makeCsr } from '@gatehouse/platform/tls/csr';
import type { ProxyConfig } from './env.ts';
import type { CertificateFacts, EventLog } from './event-log.ts';
import { Latest } from './latest.ts';

/** Who this pod is, and what proves it. */
export interface Identity {
  /** Undefined until the first certificate was accepted; never taken back, not even when it expires. */
  readonly certificate: Latest<Certified | undefined>;
  /** Obtains certificates until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** One certificate asked for and checked; see `certify`. */
export type Obtain = (request: {
  readonly key: KeyObject;
  readonly csr: Uint8Array;
  readonly token: Uint8Array;
  readonly signal: AbortSignal;
}) => Promise<Certified>;

export interface IdentityOptions {
  readonly config: Pick<
    ProxyConfig,
    'identityDir' | 'tokenFile' | 'localName' | 'minRefreshMs' | 'maxRefreshMs'
  >;
  readonly obtain: Obtain;
  readonly log: EventLog;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** 70 % of what is left, within the bounds: contract/proxy.md §4.3. */
export const refreshAfterMs = (
  validForMs: number,
  { minRefreshMs, maxRefreshMs }: Pick<ProxyConfig, 'minRefreshMs' | 'maxRefreshMs'>,
): number => Math.min(Math.max(validForMs * 0.7, minRefreshMs), maxRefreshMs);

/** How the issuance log knows it, and until when it is good. */
export const describeCertificate = ({ chain: [leaf], validUntil }: Certified): CertificateFacts => {
  const certificate = new X509Certificate(leaf ?? new Uint8Array());
  return {
    serial: certificate.serialNumber.toLowerCase(),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validUntil: new Date(validUntil).toISOString(),
  };
};

/** Makes `key.p8` and `csr.der` again, as linkerd2-proxy-identity does before it starts the proxy (contract/proxy.md §4). */
const makeDocuments = async ({ identityDir, localName }: IdentityOptions['config']) => {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const csr = makeCsr(key, localName);
  try {
    await mkdir(identityDir, { recursive: true, mode: 0o700 });
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
    await writeFile(join(identityDir, 'key.p8'), pkcs8, { mode: 0o600 });
    await writeFile(join(identityDir, 'csr.der'), csr, { mode: 0o600 });
  } catch (cause) {
    const message = `cannot write key.p8 and csr.der to ${identityDir} (LINKERD2_PROXY_IDENTITY_DIR)`;
    throw new GatehouseError('failed-precondition', message, { cause });
  }
  return { key, csr };
};

const readToken = async (file: string): Promise<Uint8Array> => {
  const token = await readFile(file);
  if (token.length === 0) throw new GatehouseError('failed-precondition', `the token file ${file} is empty`);
  return token;
};

/** Asks identity over a connection of its own for each certificate, as the proxy does; no deadline (contract/proxy.md §1.1). */
export const obtainByCertify =
  ({ identity: { address, name }, localName, trustAnchors }: ProxyConfig): Obtain =>
  (request) =>
    certify({
      ...request,
      name: localName,
      trustAnchors,
      server: {
        address,
        security: name === undefined ? 'plaintext' : { serverName: name, trustAnchors },
      },
    });

/** Rejects when the key and the signing request cannot be written. */
export const createIdentity = async ({ config, obtain, log, now }: IdentityOptions): Promise<Identity> => {
  const { key, csr } = await makeDocuments(config);
  const certificate = new Latest<Certified | undefined>(undefined);
  const attempt = async (signal: AbortSignal): Promise<number> => {
    try {
      const certified = await obtain({ key, csr, token: await readToken(config.tokenFile), signal });
      certificate.set(certified);
      log({ event: 'certificate', identity: config.localName, ...describeCertificate(certified) });
      return refreshAfterMs(certified.validUntil - now(), config);
    } catch (error) {
      // An old certificate leaves time; without one the next attempt comes after the least wait (contract/proxy.md §4.3).
      const left = (certificate.value?.validUntil ?? 0) - now();
      const retryMs = left > 0 ? refreshAfterMs(left, config) : config.minRefreshMs;
      const reason = error instanceof Error ? error.message : String(error);
      if (!signal.aborted) log({ event: 'certify-failed', reason, retryMs });
      return retryMs;
    }
  };
  return {
    certificate,
    run: async (signal) => {
      while (!signal.aborted) {
        const waitMs = await attempt(signal);
        await sleep(waitMs, undefined, { signal }).catch(() => {});
      }
    },
  };
};
