import { type Told, tellNow } from '@gatehouse/core/expiry';
import type { EventRecorder } from '@gatehouse/platform/kube/write/events';
import type { Log } from '@gatehouse/platform/log/log';
import { pause } from '@gatehouse/platform/process/pause';
import { type ExpiryWarning, expiryWarnings } from '../../core/issuer/issuer-expiry.ts';
import type { IssuerKeeper } from './issuer-keeper.ts';

export interface IssuerExpiryOptions {
  readonly keeper: Pick<IssuerKeeper, 'current'>;
  /** How long a leaf lives when nothing cuts it. */
  readonly leafLifetimeMs: number;
  readonly log: Log;
  readonly events: EventRecorder;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed?: () => number;
  /** A minute when left out. */
  readonly lookEveryMs?: number;
}

/** Says in time what is going to end: issuer, intermediates and roots, from a fifth of their life on. */
export class IssuerExpiry {
  readonly #options: IssuerExpiryOptions;
  /** By fingerprint: what was said last. */
  #told: ReadonlyMap<string, Told> = new Map();

  constructor(options: IssuerExpiryOptions) {
    this.#options = options;
  }

  /** Everything that is near its end now. */
  warnings(): readonly ExpiryWarning[] {
    const { keeper, leafLifetimeMs, now } = this.#options;
    return keeper.current === undefined ? [] : expiryWarnings(keeper.current, { now: now(), leafLifetimeMs });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { lookEveryMs = 60_000 } = this.#options;
    while (!signal.aborted) {
      this.tell();
      await pause(lookEveryMs, signal);
    }
  }

  /** Says what is new or has not been said for a day. */
  tell(): void {
    const { log, events, elapsed = () => performance.now() } = this.#options;
    const told = new Map<string, Told>();
    for (const { certificate, share, role, found, fix } of this.warnings()) {
      const { fingerprint, name, notAfter } = certificate;
      const before = this.#told.get(fingerprint);
      const telling = tellNow(before, share, elapsed());
      const last = telling ?? before;
      if (last !== undefined) told.set(fingerprint, last);
      if (telling === undefined) continue;
      const isOver = share === 0;
      const fields = { role, name, fingerprint, ends: new Date(notAfter * 1000).toISOString(), fix };
      if (isOver && role !== 'other-root') log.error(fields, found);
      else log.warn(fields, found);
      const reason = isOver ? 'CertificateExpired' : 'CertificateExpiring';
      events.record({ type: 'Warning', reason, action: 'CheckExpiry', note: `${found}; ${fix}` });
    }
    this.#told = told;
  }
}
