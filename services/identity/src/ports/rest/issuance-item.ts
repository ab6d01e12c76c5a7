import { parseIdentity, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { Type } from 'typebox';
import type { IssuanceRecord } from '../../core/issued/issuance-record.ts';

/** An issued certificate as people and programs read it: in the REST API, and in the file of the issuance log. */
export const IssuanceItem = Type.Object({
  issuedAt: Type.String({ format: 'date-time' }),
  identity: Type.String(),
  pod: Type.Union(
    [Type.Object({ namespace: Type.String(), name: Type.String(), uid: Type.String() }), Type.Null()],
    { description: 'Whom the token was bound to; null for a token without pod and for identity itself' },
  ),
  serial: Type.String({ description: 'Hexadecimal' }),
  spkiSha256: Type.String({ description: 'Of the SubjectPublicKeyInfo, hexadecimal' }),
  tbsSha256: Type.String({
    description:
      'Of the TBSCertificate, which is all but the signature, hexadecimal; recorded before it is signed',
  }),
  leafSha256: Type.Union([Type.String(), Type.Null()], {
    description:
      'Of the certificate in DER, hexadecimal; null if it was not signed yet, or the process died about then: it may exist',
  }),
  notBefore: Type.String({ format: 'date-time' }),
  notAfter: Type.String({ format: 'date-time' }),
  suspicious: Type.Union(
    [
      Type.Object({
        newerSpkiSha256: Type.String({ description: 'The key that the pod had gone on to, hexadecimal' }),
        newerSince: Type.String({ format: 'date-time' }),
      }),
      Type.Null(),
    ],
    { description: 'Set when the pod had certified a newer key before: two hold keys of this pod' },
  ),
  learnedFrom: Type.Optional(
    Type.String({
      description: 'The replica that issued it, where another tells of it: that one may be gone',
    }),
  ),
});
export type IssuanceItem = Type.Static<typeof IssuanceItem>;

export const printItem = ({ suspicious, learnedFrom, ...record }: IssuanceRecord): IssuanceItem => ({
  issuedAt: new Date(record.issuedAt).toISOString(),
  identity: printIdentity(record.identity),
  pod: record.pod ?? null,
  serial: record.serial,
  spkiSha256: record.spkiSha256,
  tbsSha256: record.tbsSha256,
  leafSha256: record.leafSha256 ?? null,
  notBefore: new Date(record.notBefore * 1000).toISOString(),
  notAfter: new Date(record.notAfter * 1000).toISOString(),
  suspicious:
    suspicious === undefined
      ? null
      : {
          newerSpkiSha256: suspicious.newerSpkiSha256,
          newerSince: new Date(suspicious.newerSince).toISOString(),
        },
  ...(learnedFrom === undefined ? {} : { learnedFrom }),
});

export const readItem = (item: IssuanceItem): IssuanceRecord => ({
  identity: parseIdentity(item.identity),
  pod: item.pod ?? undefined,
  serial: item.serial,
  spkiSha256: item.spkiSha256,
  tbsSha256: item.tbsSha256,
  leafSha256: item.leafSha256 ?? undefined,
  issuedAt: Date.parse(item.issuedAt),
  notBefore: Date.parse(item.notBefore) / 1000,
  notAfter: Date.parse(item.notAfter) / 1000,
  suspicious:
    item.suspicious === null
      ? undefined
      : {
          newerSpkiSha256: item.suspicious.newerSpkiSha256,
          newerSince: Date.parse(item.suspicious.newerSince),
        },
  ...(item.learnedFrom === undefined ? {} : { learnedFrom: item.learnedFrom }),
});
