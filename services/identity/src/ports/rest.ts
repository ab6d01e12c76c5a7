import type { AdminApp } from '@gatehouse/shared/admin/admin-server';
import { pageOf, pageQuery, paginate } from '@gatehouse/shared/admin/page';
import { GatehouseError } from '@gatehouse/shared/error';
import { pemOf } from '@gatehouse/shared/tls/material';
import { Type } from 'typebox';
import type { IssuanceRecord } from '../core/issuance-record.ts';
import type { IssuanceQuery } from '../core/issuance-ring.ts';
import type { CaCertificate } from '../core/issuer-state.ts';
import { IssuanceItem, printItem } from './issuance-item.ts';
import type { IssuerKeeper, KeptIssuer } from './issuer-keeper.ts';
import { sha256 } from './x509.ts';

export interface RestParts {
  readonly keeper: Pick<IssuerKeeper, 'current' | 'usable' | 'rejected'>;
  readonly issued: { find(query: IssuanceQuery): Iterable<IssuanceRecord> };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const certificateFields = {
  subject: Type.String(),
  serial: Type.String({ description: 'Hexadecimal' }),
  key: Type.String({ description: 'P-256, P-384 or RSA' }),
  notBefore: Type.String({ format: 'date-time' }),
  notAfter: Type.String({ format: 'date-time' }),
  sha256: Type.String({ description: 'Of the certificate in DER, hexadecimal' }),
  lifeLeft: Type.Number({ description: 'From 1 (new) to 0 (expired)' }),
};

const TrustBundle = Type.Object({
  certificates: Type.Array(Type.Object({ ...certificateFields, pem: Type.String() })),
});

const IssuerReport = Type.Object({
  usable: Type.Boolean({ description: 'Certificates are issued' }),
  issuer: Type.Union([
    Type.Object({
      ...certificateFields,
      algorithm: Type.String({ description: 'What it signs leaves with' }),
      intermediates: Type.Array(Type.Object(certificateFields), {
        description: 'What is sent with each leaf, the issuer first; empty if it is itself an anchor',
      }),
      anchor: Type.Object(certificateFields),
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
    { description: 'Why the issuer files as they are now were not taken' },
  ),
});

const pemMediaType = 'application/pem-certificate-chain';

/** The REST API of identity beside what every service has (design §9). */
export const identityRoutes =
  ({ keeper, issued, now }: RestParts) =>
  (app: AdminApp): void => {
    app.get(
      '/v1/trust-bundle',
      {
        schema: {
          summary: 'The trust anchors of this mesh: PEM (RFC 8555 §9.1), or JSON where it is asked for',
          response: {
            200: {
              description: 'The bundle',
              content: {
                [pemMediaType]: { schema: Type.String() },
                'application/json': { schema: TrustBundle },
              },
            },
          },
        },
      },
      async (request, reply) => {
        const kept = existing(keeper.current);
        return request.headers.accept?.includes('application/json') === true
          ? reply.type('application/json').send({
              certificates: kept.anchors.map((anchor) => ({
                ...printCertificate(anchor, now()),
                pem: pemOf(anchor.der),
              })),
            })
          : reply.type(pemMediaType).send(kept.bundle);
      },
    );

    app.get(
      '/v1/issuer',
      {
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
      }),
    );

    app.get(
      '/v1/certificates',
      {
        schema: {
          summary: 'What was issued, newest first',
          querystring: Type.Object({
            ...pageQuery,
            identity: Type.Optional(Type.String()),
            pod: Type.Optional(Type.String({ description: '`namespace/name`, or a uid' })),
            serial: Type.Optional(Type.String({ pattern: '^[0-9a-f]+$' })),
          }),
          response: { 200: pageOf(IssuanceItem) },
        },
      },
      async (request) => {
        const page = paginate(issued.find(request.query), newestFirst, request.query);
        return { ...page, items: page.items.map(printItem) };
      },
    );
  };

/** Sorts as text; the serial tells apart what was issued in the same millisecond. */
const newestFirst = ({ issuedAt, serial }: IssuanceRecord): string =>
  `${String(Number.MAX_SAFE_INTEGER - issuedAt).padStart(16, '0')}/${serial}`;

const existing = (kept: KeptIssuer | undefined): KeptIssuer => {
  if (kept !== undefined) return kept;
  throw new GatehouseError('unavailable', 'no issuer with its bundle was accepted yet: /v1/issuer says why');
};

const printIssuer = ({ judged, template }: KeptIssuer, nowMs: number) => ({
  ...printCertificate(judged.certificate, nowMs),
  algorithm: template.issuer.algorithm.name,
  intermediates: judged.intermediates.map((certificate) => printCertificate(certificate, nowMs)),
  anchor: printCertificate(judged.anchor, nowMs),
});

const printCertificate = (certificate: CaCertificate, nowMs: number) => {
  const { name, serial, key, notBefore, notAfter, der } = certificate;
  const left = (notAfter - nowMs / 1000) / (notAfter - notBefore);
  return {
    subject: name,
    serial,
    key: typeof key === 'string' ? key : key.unsupported,
    notBefore: new Date(notBefore * 1000).toISOString(),
    notAfter: new Date(notAfter * 1000).toISOString(),
    sha256: sha256(der).toHex(),
    lifeLeft: Math.max(0, Math.min(1, left)),
  };
};
