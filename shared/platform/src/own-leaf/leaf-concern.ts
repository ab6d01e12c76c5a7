import {
  type LifePhase,
  type Lifetime,
  lifeLeft,
  type Told,
  tellNow,
  warningShare,
} from '@gatehouse/core/expiry';
import type { Moment } from '@gatehouse/core/moment';
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
  readonly trouble: Trouble;
  /** Of the certificate that is still shown; undefined when there never was one. */
  readonly life: Lifetime | undefined;
  readonly now: Moment;
}

/** The first attempts of a renewal that fail are said, but nobody is called for them. */
const patience = 3;
/** Services that start together are ready together within this time, images to pull included; `/ready` says all the while what is missing. */
const startingMs = 60_000;
const repeatAfterMs = 60_000;

/** How bad it is that no certificate was obtained; `failing` = the one that is shown is good still. */
export type Trouble = 'missing' | 'failing' | 'early' | 'expired';

const troubles = {
  'not yet valid': 'early',
  valid: 'failing',
  expired: 'expired',
} as const satisfies Record<LifePhase, Trouble>;

/** `phase` is that of the certificate that is shown. */
export const troubleOf = (phase: LifePhase | undefined): Trouble =>
  phase === undefined ? 'missing' : troubles[phase];

const reasons = {
  missing: 'CertificateMissing',
  failing: 'CertificateRenewalFailing',
  early: 'CertificateNotYetValid',
  expired: 'CertificateExpired',
} as const satisfies Record<Trouble, string>;

/** Says that a serving certificate cannot be had: soon after it begins, louder as its end comes near, and when it is over. */
export class LeafConcern {
  readonly #options: LeafConcernOptions;
  #said: { readonly trouble: Trouble; readonly at: Moment['elapsed'] } | undefined;
  #told: Told | undefined;
  #missingSince: Moment['elapsed'] | undefined;

  constructor(options: LeafConcernOptions) {
    this.#options = options;
  }

  failed(attempt: FailedAttempt): void {
    const { thrown, why, failures, retryInMs, trouble, life, now } = attempt;
    const { log } = this.#options;
    const fields = { err: thrown, attempt: failures, retryInMs: Math.round(retryInMs) };
    this.#tellShare(attempt);
    const isOutOfDate = trouble === 'early' || trouble === 'expired';
    if (trouble === 'missing') {
      this.#missingSince ??= now.elapsed;
      if (now.elapsed - this.#missingSince < startingMs) {
        log.info(fields, 'the serving certificate is not here yet');
        return;
      }
    } else if (failures <= patience && !isOutOfDate) {
      log.warn(fields, 'the serving certificate was not obtained');
      return;
    }
    const isNew = this.#said?.trouble !== trouble;
    if (!isNew && now.elapsed - (this.#said?.at ?? 0) < repeatAfterMs) return;
    this.#said = { trouble, at: now.elapsed };
    const sentence = sentenceFor(trouble, life);
    if (trouble === 'failing') log.warn(fields, sentence);
    else log.error(fields, sentence);
    if (isNew) this.#record('Warning', reasons[trouble], `${sentence}: ${why}; ${this.#options.advice}`);
  }

  /** There is a good certificate again. */
  obtained({ wall }: Moment): void {
    if (this.#said !== undefined)
      this.#record(
        'Normal',
        'CertificateRenewed',
        `there is a new serving certificate since ${printTime(wall)}`,
      );
    this.#said = undefined;
    this.#told = undefined;
    this.#missingSince = undefined;
  }

  /** For `/v1/health`, while the old certificate still holds. */
  warningOf({ why, life, now }: { why: string; life: Lifetime; now: Moment['wall'] }): string {
    return `the serving certificate ends in ${printSpan(life.notAfter - now)}, at ${printTime(life.notAfter)}, and is not renewed: ${why}; ${this.#options.advice}`;
  }

  /** From a fifth of its life on: by then a renewal is overdue by a tenth of it. */
  #tellShare({ why, trouble, life, now: { wall, elapsed } }: FailedAttempt): void {
    if (life === undefined || trouble !== 'failing') return;
    const telling = tellNow(this.#told, warningShare(life, wall), elapsed);
    if (telling === undefined) return;
    this.#told = telling;
    const left = `${Math.round(100 * lifeLeft(life, wall))} %`;
    this.#options.log.warn({ left }, this.warningOf({ why, life, now: wall }));
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
    case 'early':
    case 'expired':
      return 'no proxy can reach this service: it has no valid certificate';
  }
};
