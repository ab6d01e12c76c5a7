import { lifeLeft } from '@gatehouse/core/expiry';
import type { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import { lifetimeOf, rolesIn } from '../../core/issuer/issuer-expiry.ts';
import type { IssuerExpiry } from './issuer-expiry-watch.ts';
import type { IssuerKeeper } from './issuer-keeper.ts';

export interface MeasuredIssuer {
  readonly keeper: Pick<IssuerKeeper, 'usable' | 'current' | 'rejected' | 'changes'>;
  readonly expiry: Pick<IssuerExpiry, 'warnings'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Registers what identity tells of its issuer and roots; the values are read at each scrape. */
export const measureIssuer = (metrics: Metrics, { keeper, expiry, now }: MeasuredIssuer): void => {
  metrics.gauge({
    name: 'gatehouse_identity_issuer_usable',
    help: 'Whether certificates can be issued: 1 or 0.',
    collect() {
      this.set(keeper.usable === undefined ? 0 : 1);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_issuer_rejected',
    help: 'Whether the issuer files hold something that was rejected (1 or 0); /v1/issuer says why.',
    collect() {
      this.set(keeper.rejected === undefined ? 0 : 1);
    },
  });
  metrics.counter({
    name: 'gatehouse_identity_issuer_changes_total',
    help: 'Issuers and bundles that the files offered, by what became of them: `accepted` or `rejected`.',
    labelNames: ['result'],
    collect() {
      this.reset();
      this.inc({ result: 'accepted' }, keeper.changes.accepted);
      this.inc({ result: 'rejected' }, keeper.changes.rejected);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_issuer_expiry_timestamp_seconds',
    help: 'When the issuer chain in use ends: no certificate lives longer.',
    collect() {
      if (keeper.current !== undefined) this.set(keeper.current.judged.chainEnds);
    },
  });
  const eachCa = (set: (labels: CaLabels, certificate: CaCertificate) => void): void => {
    if (keeper.current === undefined) return;
    for (const [role, certificate] of rolesIn(keeper.current)) {
      const { name, fingerprint } = certificate;
      set({ role, subject: name.slice(0, 64), fingerprint: fingerprint.slice(0, 16) }, certificate);
    }
  };
  metrics.gauge({
    name: 'gatehouse_identity_ca_expiry_timestamp_seconds',
    help: 'When the issuer, each intermediate and each root of the bundle ends.',
    labelNames: caLabels,
    collect() {
      this.reset();
      eachCa((labels, { notAfter }) => this.set(labels, notAfter));
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_ca_life_left_ratio',
    help: 'How much of its life the issuer, each intermediate and each root has left, from 1 to 0; warnings begin at 0.2.',
    labelNames: caLabels,
    collect() {
      this.reset();
      eachCa((labels, certificate) => this.set(labels, lifeLeft(lifetimeOf(certificate), now())));
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_expiry_warnings',
    help: 'How many of issuer, intermediates and roots are near their end or past it; /v1/issuer says which.',
    collect() {
      this.set(expiry.warnings().length);
    },
  });
};

const caLabels = ['role', 'subject', 'fingerprint'] as const;
type CaLabels = Record<(typeof caLabels)[number], string>;
