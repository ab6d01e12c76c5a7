import { asGatehouseError } from '@gatehouse/shared/error';
import type { Method, Methods } from '@gatehouse/shared/grpc/transport';
import type { Metrics } from '@gatehouse/shared/metrics';
import type { CertifyTurns } from './certify-turns.ts';
import type { IssuerKeeper } from './issuer-keeper.ts';
import type { WatchedCallers } from './watched-callers.ts';

export interface Measured {
  readonly keeper: IssuerKeeper;
  readonly turns: CertifyTurns;
  readonly callers: WatchedCallers;
}

/** Registers what identity tells of itself; the values are read when somebody asks. */
export const measureIdentity = (metrics: Metrics, { keeper, turns, callers }: Measured): void => {
  metrics.gauge({
    name: 'gatehouse_identity_certify_waiting',
    help: 'Certify calls that wait for their turn.',
    collect() {
      this.set(turns.waiting);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_pods_awaited',
    help: 'Pods with a valid token that the watch does not show yet.',
    collect() {
      this.set(callers.waiting);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_issuer_usable',
    help: 'Whether certificates can be issued: 1 or 0.',
    collect() {
      this.set(keeper.usable === undefined ? 0 : 1);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_issuer_rejected',
    help: 'Whether the issuer files hold something that is not taken (1 or 0); /v1/issuer says why.',
    collect() {
      this.set(keeper.rejected === undefined ? 0 : 1);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_issuer_expiry_timestamp_seconds',
    help: 'When the issuer chain in use ends.',
    collect() {
      if (keeper.current !== undefined) this.set(keeper.current.judged.chainEnds);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_root_expiry_timestamp_seconds',
    help: 'When each trust anchor ends.',
    labelNames: ['subject', 'serial'],
    collect() {
      this.reset();
      for (const { name, serial, notAfter } of keeper.current?.anchors ?? []) {
        this.set({ subject: name, serial }, notAfter);
      }
    },
  });
};

/** Counts Certify by its outcome: `issued`, or the code of the error. */
export const countCertificates = (methods: Methods, metrics: Metrics): Methods => {
  const counter = metrics.counter({
    name: 'gatehouse_identity_certificates_total',
    help: 'Certificates asked for by workloads, by outcome.',
    labelNames: ['result'],
  });
  const counted = (method: Method): Method =>
    method.kind !== 'unary'
      ? method
      : {
          kind: 'unary',
          handle: async (call) => {
            try {
              const answer = await method.handle(call);
              counter.inc({ result: 'issued' });
              return answer;
            } catch (error) {
              counter.inc({ result: asGatehouseError(error).code });
              throw error;
            }
          },
        };
  return Object.fromEntries(Object.entries(methods).map(([path, method]) => [path, counted(method)]));
};
