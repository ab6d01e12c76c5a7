import { namespaceOf, parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { mergedList } from '@gatehouse/platform/replicas/merged-list';
import type { Replicas } from '@gatehouse/platform/replicas/replicas';
import { Type } from 'typebox';
import { newestFirst } from '../../core/issued/issuance-record.ts';
import type { ExpiryWarning } from '../../core/issuer/issuer-expiry.ts';
import { issuedFilters, readIssuedFilters } from '../issued/issued-question.ts';
import type { ServiceIssuanceLog } from '../issued/open-issuance-log.ts';
import type { IssuerExpiry } from '../issuer/issuer-expiry-watch.ts';
import type { IssuerKeeper } from '../issuer/issuer-keeper.ts';
import type { KeptIssuer } from '../issuer/kept-issuer.ts';
import { caFields, printCa } from './ca-item.ts';
import { IssuanceItem, printItem } from './issuance-item.ts';
import { issuanceLogRoute } from './issuance-log-route.ts';
import { trustBundleRoute } from './trust-bundle-route.ts';

export interface RestParts {
  readonly keeper: Pick<IssuerKeeper, 'current' | 'usable' | 'rejected'>;
  readonly expiry: Pick<IssuerExpiry, 'warnings'>;
  readonly record: ServiceIssuanceLog;
  readonly replicas: Replicas;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const IssuerReport = Type.Object({
  usable: Type.Boolean({ description: 'Certificates are issued' }),
  issuer: Type.Union([
    Type.Object({
      ...caFields,
      algorithm: Type.String({ description: 'What it signs leaves with' }),
      intermediates: Type.Array(Type.Object(caFields), {
        description: 'What is sent with each leaf, the issuer first; empty if it is itself an anchor',
      }),
      anchor: Type.Object(caFields),
    }),
    Type.Null(),
  ]),
  rejected: Type.Union(
    [
      Type.Object({
        since: Type.String({ format: 'date-time' }),
        problems: Type.Array(Type.Object({ field: Type.String(), found: Type.String(), fix: Type.String() })),
      }),
      Type.Null(),
    ],
    { description: 'Why the issuer files as they are now were rejected' },
  ),
  warnings: Type.Array(
    Type.Object({
      role: Type.String({ description: '`issuer`, `intermediate`, `cross`, `root` or `other-root`' }),
      subject: Type.String(),
      sha256: Type.String(),
      notAfter: Type.String({ format: 'date-time' }),
      lifeLeft: Type.Number({ description: 'From 0.2 to 0 (expired)' }),
      found: Type.String({ description: 'What ends, when, and what comes of it' }),
      fix: Type.String(),
    }),
    { description: 'What has a fifth of its life left, or less' },
  ),
});

/** The REST API of identity beside what every service has (design §9). */
export const identityRoutes =
  ({ keeper, expiry, record, replicas, now }: RestParts) =>
  (app: AdminApp): void => {
    trustBundleRoute({ keeper, now })(app);
    issuanceLogRoute(record, now)(app);

    app.get(
      '/v1/issuer',
      {
        config: { access: 'mesh' },
        schema: {
          summary: 'Who signs, how long still, and what was refused',
          response: { 200: IssuerReport },
        },
      },
      async () => ({
        usable: keeper.usable !== undefined,
        issuer: keeper.current === undefined ? null : printIssuer(keeper.current, now()),
        rejected:
          keeper.rejected === undefined
            ? null
            : {
                since: new Date(keeper.rejected.at).toISOString(),
                problems: keeper.rejected.problems.map((one) => ({ ...one })),
              },
        warnings: expiry.warnings().map((warning) => printWarning(warning, now())),
      }),
    );

    mergedList(app, replicas, {
      path: 'certificates',
      reads: 'certificates',
      summary: 'What all replicas have issued, newest first',
      query: issuedFilters,
      item: IssuanceItem,
      own: (query) => record.issued.find(readIssuedFilters(query, now())),
      print: printItem,
      keyOf: newestFirst,
      keyOfItem: ({ issuedAt, serial }) => newestFirst({ issuedAt: Date.parse(issuedAt), serial }),
      replicaOf: ({ learnedFrom }) => learnedFrom,
      namespaceOf: ({ identity }) => namespaceOf(parseIdentity(identity)),
    });
  };

const printWarning = ({ role, certificate, found, fix }: ExpiryWarning, nowMs: number) => {
  const { subject, sha256, notAfter, lifeLeft } = printCa(certificate, nowMs);
  return { role, subject, sha256, notAfter, lifeLeft, found, fix };
};

const printIssuer = ({ judged, template }: KeptIssuer, nowMs: number) => ({
  ...printCa(judged.certificate, nowMs),
  algorithm: template.issuer.algorithm.name,
  intermediates: judged.intermediates.map((certificate) => printCa(certificate, nowMs)),
  anchor: printCa(judged.anchor, nowMs),
});
