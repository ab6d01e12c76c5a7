import { type Problem, printProblem } from '@gatehouse/core/problem';
import { printTime } from '@gatehouse/core/time-span';
import type { EventRecorder } from '@gatehouse/platform/kube/write/events';
import type { Log } from '@gatehouse/platform/log/log';
import type { KeptIssuer } from './kept-issuer.ts';

export interface IssuerNewsOptions {
  readonly log: Log;
  readonly events: EventRecorder;
}

/** Says what became of the issuer's files: in the log, and as Events where operators look first. */
export class IssuerNews {
  readonly #log: Log;
  readonly #events: EventRecorder;

  constructor({ log, events }: IssuerNewsOptions) {
    this.#log = log;
    this.#events = events;
  }

  accepted({ judged, anchors }: KeptIssuer, before: KeptIssuer | undefined): void {
    const { certificate, anchor, chainEnds } = judged;
    const until = printTime(chainEnds * 1000);
    const { name: issuer, serial, fingerprint } = certificate;
    this.#log.info(
      { issuer, serial, fingerprint, anchor: anchor.name, anchors: anchors.length, until },
      'issuer accepted',
    );
    const isRenewed = before !== undefined && before.judged.certificate.fingerprint !== fingerprint;
    const what =
      before === undefined || isRenewed
        ? `the issuer is ${issuer}, serial ${serial}, below ${anchor.name}, good until ${until}`
        : `the chain or the bundle of trust anchors has changed: ${anchors.length} anchors, the issuer is still ${issuer}`;
    this.#events.record({ type: 'Normal', reason: 'IssuerAccepted', action: 'ReadIssuer', note: what });
  }

  /** A candidate that is rejected; the old issuer, if there is one, stays. */
  rejected(problems: readonly Problem[], keeps: KeptIssuer | undefined): void {
    const reason = problems.map(printProblem).join('; ');
    const name = keeps?.judged.certificate.name;
    this.#log.warn({ reason, keeps: name ?? null }, 'the issuer is rejected');
    const stays = name === undefined ? 'there is no other' : `${name} stays in use`;
    this.#events.record({
      type: 'Warning',
      reason: 'IssuerRejected',
      action: 'ReadIssuer',
      note: `the issuer's files are rejected, ${stays}: ${reason}`,
    });
  }

  /** The files offer again what is in use. */
  fixed({ judged }: KeptIssuer): void {
    this.#log.info({ issuer: judged.certificate.name }, 'the issuer is as it was');
  }
}
