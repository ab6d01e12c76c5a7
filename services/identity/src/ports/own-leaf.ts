import { generateKeyPair } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Log } from '@gatehouse/shared/log';
import type { TlsMaterial } from '@gatehouse/shared/tls/material';
import type { Certified, ProvedWorkload } from '../certify.ts';

export interface OwnLeafOptions {
  /** Our mesh name: what proxies expect as the server's SAN. */
  readonly identity: string;
  readonly issue: (workload: ProvedWorkload) => Promise<Certified>;
  /** PEM: whom we believe when a client shows a certificate. */
  readonly trustAnchors: () => string;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long after a failure it is tried again; 10 s when left out. */
  readonly retryMs?: number;
}

/** Timers of Node overflow at 25 days; looking once a day is enough for any lifetime. */
const longestRestMs = 86_400_000;

const makeKeys = promisify(generateKeyPair);

/** The certificate that identity serves TLS with. It proves nothing to anybody: this is the process that holds the issuer's key. */
export class OwnLeaf {
  readonly #options: OwnLeafOptions;
  #material: TlsMaterial | undefined;
  #renewAt = 0;
  #outdated = false;
  #listener: (material: TlsMaterial) => void = () => {};
  #nudge = new AbortController();

  constructor(options: OwnLeafOptions) {
    this.#options = options;
  }

  /** Undefined until there was an issuer. */
  get material(): TlsMaterial | undefined {
    return this.#material;
  }

  /** Has `listener` called with every new leaf. */
  onRenewed(listener: (material: TlsMaterial) => void): void {
    this.#listener = listener;
  }

  /** Renews without waiting: the issuer or the bundle has changed. */
  renewSoon(): void {
    this.#outdated = true;
    this.#nudge.abort();
  }

  /** Renews at 70 % of each leaf's life, as proxies do, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#nudge = new AbortController();
      if (this.#outdated || this.#renewAt <= this.#options.now()) await this.renew();
      const rest = Math.max(0, Math.min(this.#renewAt - this.#options.now(), longestRestMs));
      // Either abort only ends the rest early.
      await sleep(rest, undefined, { signal: AbortSignal.any([signal, this.#nudge.signal]) }).catch(
        () => undefined,
      );
    }
  }

  /** Makes a new key and certifies it. On failure the old leaf stays, and is tried again soon. */
  async renew(): Promise<void> {
    const { identity, issue, trustAnchors, log, now, retryMs = 10_000 } = this.#options;
    this.#outdated = false;
    try {
      const { publicKey, privateKey: key } = await makeKeys('ec', { namedCurve: 'P-256' });
      const spki = publicKey.export({ format: 'der', type: 'spki' });
      const { leaf, intermediates, validUntil } = await issue({ identity, spki, pod: undefined });
      this.#material = { key, chain: [leaf, ...intermediates], trustAnchors: trustAnchors() };
      const started = now();
      this.#renewAt = started + 0.7 * (validUntil * 1000 - started);
      this.#listener(this.#material);
    } catch (error) {
      this.#renewAt = now() + retryMs;
      log.error({ err: error }, 'the own serving certificate could not be renewed');
    }
  }
}
