import { generateKeyPairSync } from 'node:crypto';
import { type LifePhase, type Lifetime, lifeLeft, phaseOf } from '@gatehouse/core/expiry';
import type { HostPort } from '@gatehouse/core/host-port';
import type { Moment } from '@gatehouse/core/moment';
import { type EventRecorder, noEvents } from '../kube/write/events.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { pause } from '../process/pause.ts';
import { within } from '../process/within.ts';
import type { TlsMaterial } from '../tls/material.ts';
import { type Certified, certify } from './certify-client.ts';
import { LeafConcern, troubleOf } from './leaf-concern.ts';

export interface ServingLeafOptions {
  /** Obtains a leaf for a new key; `certifyAs` below does it by Certify. */
  readonly obtain: (trustAnchors: string, signal: AbortSignal) => Promise<Certified>;
  /** The PEM of the roots, read again before each use, since they may be rotated while we run. */
  readonly trustAnchors: () => Promise<string>;
  readonly log: Log;
  /** Tells people. Default: nobody. */
  readonly events?: EventRecorder;
  /** What an operator looks at when no leaf can be had. */
  readonly advice?: string;
  readonly metrics: Metrics;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed?: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** The proxy renews at the same point of a leaf's life. */
const renewAfterShare = 0.7;

/** How often the roots are read; also bounds what a timer can be late by, when nobody calls `look` after a change of the clock. */
const lookEveryMs = 60_000;

/** Sooner than the proxy's fixed ten seconds: three services that start together should be ready together. */
const backoff = { minMs: 100, maxMs: 10_000, jitter: 0.1 };

/** One attempt may wait in identity's queue for eight seconds (design §4). */
const attemptMs = 15_000;

/**
 * The leaf that a service shows: obtained from identity like any workload's, renewed at 70 % of its life, and at once when a
 * changed clock has put it outside its dates; with a new key each time. Run it as a long task; it ends only with its signal.
 */
export class ServingLeaf {
  readonly #options: ServingLeafOptions;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #attempts: ReturnType<typeof attemptCounter>;
  readonly #concern: LeafConcern;
  /** Undefined until this runs, which it does only in a service with TLS; a certificate that nobody is shown is no cause for an alert. */
  #publish: ((material: TlsMaterial) => void) | undefined;
  #current: { readonly leaf: Certified; readonly takenAt: number; readonly renewAt: number } | undefined;
  #failures = 0;
  #failure: string | undefined;
  /** How often another leaf was asked for, and up to which of these there is one. */
  #asked = 0;
  #answered = 0;
  #wake = new AbortController();

  constructor(options: ServingLeafOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#attempts = attemptCounter(options.metrics);
    const {
      log,
      events = noEvents,
      advice = 'see that identity is ready, and that its address, our token and the trust anchors are right',
    } = options;
    this.#concern = new LeafConcern({ log, events, advice });
    const expiry = (): number => (this.#current?.leaf.validUntil ?? 0) / 1_000;
    const left = (): number => {
      const [life, now] = [this.#life, this.#now()];
      return life === undefined || this.#phase !== 'valid' ? 0 : lifeLeft(life, now);
    };
    const isShown = (): boolean => this.#publish !== undefined;
    options.metrics.gauge({
      name: 'gatehouse_serving_certificate_expiration_timestamp_seconds',
      help: 'When the certificate that this service shows expires; 0 while there is none. Absent where it serves plaintext, on loopback.',
      collect() {
        if (isShown()) this.set(expiry());
        else this.remove();
      },
    });
    options.metrics.gauge({
      name: 'gatehouse_serving_certificate_life_left_ratio',
      help: 'How much of its life the certificate that this service shows has left, from 1 to 0; below 0.2 its renewal is overdue, 0 also before it is valid. Absent where it serves plaintext, on loopback.',
      collect() {
        if (isShown()) this.set(left());
        else this.remove();
      },
    });
  }

  /** The time that renewals share out: from when the leaf came, not from its notBefore, which lies before that. */
  get #life(): Lifetime | undefined {
    return this.#current === undefined
      ? undefined
      : { notBefore: this.#current.takenAt, notAfter: this.#current.leaf.validUntil };
  }

  /** Whether peers accept the leaf now; undefined while there is none. */
  get #phase(): LifePhase | undefined {
    if (this.#current === undefined) return undefined;
    const { validFrom, validUntil } = this.#current.leaf;
    return phaseOf({ notBefore: validFrom, notAfter: validUntil }, this.#now());
  }

  /** What will make the service unreachable if nobody sees to it, for `/v1/health`; what already has is in `notReady`. */
  warnings(): readonly string[] {
    const [life, why] = [this.#life, this.#failure];
    if (life === undefined || why === undefined || this.#phase !== 'valid') return [];
    return [this.#concern.warningOf({ why, life, now: this.#now() })];
  }

  /** Why the service cannot be reached by proxies, for `/ready`; undefined while the leaf is valid. */
  notReady(): string | undefined {
    const why = this.#failure === undefined ? '' : `: ${this.#failure}`;
    if (this.#current === undefined) return `no serving certificate yet${why}`;
    const { validFrom, validUntil } = this.#current.leaf;
    switch (this.#phase) {
      case 'not yet valid':
        return `the serving certificate is valid only from ${new Date(validFrom).toISOString()}: the clock was set back, or is behind${why}`;
      case 'expired':
        return `the serving certificate expired at ${new Date(validUntil).toISOString()}${why}`;
      case 'valid':
      case undefined:
        return undefined;
    }
  }

  /** Why the last attempt failed, for `/v1/health`; undefined when it succeeded. The leaf may still be valid. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Looks at once whether something is due: to be called when the clock was changed. */
  look(): void {
    this.#wake.abort();
  }

  /** Has the leaf replaced without waiting for its time: what stands behind it has changed. */
  renewSoon(): void {
    this.#asked += 1;
    this.#wake.abort();
  }

  /** `publish` takes each leaf, and the same leaf again when the roots have changed; a throw counts as a failure to obtain it. */
  async run(publish: (material: TlsMaterial) => void, signal: AbortSignal): Promise<void> {
    const sleep = this.#options.sleep ?? pause;
    this.#publish = publish;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await sleep(await this.#step(signal), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** Does what is due now; resolves to the milliseconds until something may be due again. */
  async #step(signal: AbortSignal): Promise<number> {
    try {
      const trustAnchors = await this.#options.trustAnchors();
      const { leaf, renewAt, takenAt } = this.#current ?? { leaf: undefined, renewAt: 0, takenAt: 0 };
      const isDue = this.#now() >= renewAt || this.#phase !== 'valid' || this.#answered < this.#asked;
      if (leaf === undefined || isDue) await this.#renew(trustAnchors, signal);
      else if (leaf.trustAnchors !== trustAnchors)
        this.#take({ ...leaf, trustAnchors }, { renewAt, takenAt });
      this.#failures = 0;
      this.#failure = undefined;
      return Math.min(Math.max((this.#current?.renewAt ?? 0) - this.#now(), backoff.minMs), lookEveryMs);
    } catch (thrown) {
      if (signal.aborted) return 0;
      return this.#failed(thrown);
    }
  }

  async #renew(trustAnchors: string, signal: AbortSignal): Promise<void> {
    const { obtain, log } = this.#options;
    const asked = this.#asked;
    const late = (): Error => new Error(`no answer within ${attemptMs} ms`);
    const leaf = await within({ ms: attemptMs, signal, late }, (inTime) => obtain(trustAnchors, inTime));
    const now = this.#now();
    this.#take(leaf, { takenAt: now, renewAt: now + renewAfterShare * (leaf.validUntil - now) });
    this.#concern.obtained(this.#moment);
    this.#answered = asked;
    this.#attempts.inc({ result: 'ok' });
    log.info({ validUntil: new Date(leaf.validUntil).toISOString() }, 'serving with a new certificate');
  }

  #take(leaf: Certified, times: { readonly takenAt: number; readonly renewAt: number }): void {
    this.#publish?.(leaf);
    this.#current = { leaf, ...times };
  }

  #failed(thrown: unknown): number {
    const { random = Math.random } = this.#options;
    this.#failure = thrown instanceof Error ? thrown.message : String(thrown);
    this.#attempts.inc({ result: 'error' });
    const wait =
      Math.min(backoff.minMs * 2 ** this.#failures, backoff.maxMs) * (1 + backoff.jitter * random());
    this.#failures += 1;
    this.#concern.failed({
      thrown,
      why: this.#failure,
      failures: this.#failures,
      retryInMs: wait,
      trouble: troubleOf(this.#phase),
      life: this.#life,
      now: this.#moment,
    });
    return wait;
  }

  get #moment(): Moment {
    return { wall: this.#now(), elapsed: this.#elapsed() };
  }
}

export interface CertifyAs {
  /** Our own mesh name. */
  readonly name: string;
  readonly identity: {
    readonly address: HostPort;
    /** Its mesh name; default: plaintext, which identity serves on loopback. */
    readonly serverName?: string;
  };
  /** Read again for each attempt, since projected tokens are rotated. */
  readonly token: () => Promise<Uint8Array>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** How destination and policy obtain their leaf: one Certify, with a key that exists nowhere else. */
export const certifyAs =
  ({ name, identity, token, now = Date.now }: CertifyAs): ServingLeafOptions['obtain'] =>
  async (trustAnchors, signal) => {
    const { address, serverName } = identity;
    return certify({
      name,
      trustAnchors,
      signal,
      now,
      key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      token: await token(),
      server: { address, security: serverName === undefined ? 'plaintext' : { serverName, trustAnchors } },
    });
  };

const attemptCounter = (metrics: Metrics) =>
  metrics.counter({
    name: 'gatehouse_serving_certificate_requests_total',
    help: 'Attempts to obtain the certificate that this service shows, by result.',
    labelNames: ['result'],
  });
