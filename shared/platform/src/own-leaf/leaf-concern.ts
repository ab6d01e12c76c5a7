import { type Lifetime, lifeLeft, type Told, tellNow, warningShare } from '@gatehouse/core/expiry';
import { printSpan, printTime } from '@gatehouse/core/time-span';
import type { EventNote, EventRecorder } from '../kube/write/events.ts';
import type { Log } from '../log/log.ts';

export interface LeafConcernOptions {
  readonly log: Log;
  readonly events: EventRecorder;
  /** What an operator looks at when no certificate can be had. */
  readonly advice: string;
}

/** An attempt to obtain the serving certificate that failed. */
export interface FailedAttempt {
  readonly thrown: unknown;
  readonly why: string;
  /** How many have failed since the last good one, this one counted. */
  readonly failures: number;
  readonly retryInMs: number;
  /** Of the certificate that is still shown; undefined when there never was one. */
  readonly life: Lifetime | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The first attempts of a mesh that starts often come too early for identity: each is said, but nobody is called for it. */
const patience = 3;
const repeatAfterMs = 60_000;

type Trouble = 'missing' | 'failing' | 'expired';

const reasons = {
  missing: 'CertificateMissing',
  failing: 'CertificateRenewalFailing',
  expired: 'CertificateExpired',
} as const satisfies Record<Trouble, string>;

/** Says that a serving certificate cannot be had: soon after it begins, louder as its end comes near, and when it is over. */
export class LeafConcern {
  readonly #options: LeafConcernOptions;
  #said: { readonly trouble: Trouble; readonly at: number } | undefined;
  #told: Told | undefined;

  constructor(options: LeafConcernOptions) {
    this.#options = options;
  }

  failed(attempt: FailedAttempt): void {
    const { thrown, why, failures, retryInMs, life, now } = attempt;
    const { log } = this.#options;
    const fields = { err: thrown, attempt: failures, retryInMs: Math.round(retryInMs) };
    const trouble = life === undefined ? 'missing' : now < life.notAfter ? 'failing' : 'expired';
    this.#tellShare(attempt);
    if (failures <= patience && trouble !== 'expired') {
      log.warn(fields, 'the serving certificate was not obtained');
      return;
    }
    const isNew = this.#said?.trouble !== trouble;
    if (!isNew && now - (this.#said?.at ?? 0) < repeatAfterMs) return;
    this.#said = { trouble, at: now };
    const sentence = sentenceFor(trouble, life);
    if (trouble === 'failing') log.warn(fields, sentence);
    else log.error(fields, sentence);
    if (isNew) this.#record('Warning', reasons[trouble], `${sentence}: ${why}; ${this.#options.advice}`);
  }

  /** There is a good certificate again. */
  obtained(now: number): void {
    if (this.#said !== undefined)
      this.#record(
        'Normal',
        'CertificateRenewed',
        `there is a new serving certificate since ${printTime(now)}`,
      );
    this.#said = undefined;
    this.#told = undefined;
  }

  /** For `/v1/health`, while the old certificate still holds. */
  warningOf({ why, life, now }: Pick<FailedAttempt, 'why' | 'now'> & { readonly life: Lifetime }): string {
    return `the serving certificate ends in ${printSpan(life.notAfter - now)}, at ${printTime(life.notAfter)}, and is not renewed: ${why}; ${this.#options.advice}`;
  }

  /** From a fifth of its life on: by then a renewal is overdue by a tenth of it. */
  #tellShare({ why, life, now }: FailedAttempt): void {
    if (life === undefined || now >= life.notAfter) return;
    const telling = tellNow(this.#told, warningShare(life, now), now);
    if (telling === undefined) return;
    this.#told = telling;
    const left = `${Math.round(100 * lifeLeft(life, now))} %`;
    this.#options.log.warn({ left }, this.warningOf({ why, life, now }));
    this.#record(
      'Warning',
      'CertificateExpiring',
      `the serving certificate, with ${left} of its life left, ends at ${printTime(life.notAfter)} and is not renewed: ${why}; ${this.#options.advice}`,
    );
  }

  #record(type: EventNote['type'], reason: string, note: string): void {
    this.#options.events.record({ type, reason, action: 'RenewCertificate', note });
  }
}

const sentenceFor = (trouble: Trouble, life: Lifetime | undefined): string => {
  switch (trouble) {
    case 'failing':
      return `the serving certificate is not renewed, and ends at ${printTime(life?.notAfter ?? 0)}`;
    case 'missing':
    case 'expired':
      return 'no proxy can reach this service: it has no valid certificate';
  }
};
