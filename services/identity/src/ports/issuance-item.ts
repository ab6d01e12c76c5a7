import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { IssuanceRecord } from '../core/issuance-record.ts';

/** An issued certificate as people and programs read it: in the file of the issuance log and in the REST API alike. */
export const IssuanceItem = Type.Object({
  issuedAt: Type.String({ format: 'date-time' }),
  identity: Type.String(),
  pod: Type.Union(
    [Type.Object({ namespace: Type.String(), name: Type.String(), uid: Type.String() }), Type.Null()],
    { description: 'Whom the token was bound to; null for a token without pod and for identity itself' },
  ),
  serial: Type.String({ description: 'Hexadecimal' }),
  spkiSha256: Type.String({ description: 'Of the SubjectPublicKeyInfo, hexadecimal' }),
  leafSha256: Type.String({ description: 'Of the certificate in DER, hexadecimal' }),
  notBefore: Type.String({ format: 'date-time' }),
  notAfter: Type.String({ format: 'date-time' }),
});
export type IssuanceItem = Type.Static<typeof IssuanceItem>;

const validator = Compile(IssuanceItem);

export const printItem = (record: IssuanceRecord): IssuanceItem => ({
  issuedAt: new Date(record.issuedAt).toISOString(),
  identity: record.identity,
  pod: record.pod ?? null,
  serial: record.serial,
  spkiSha256: record.spkiSha256,
  leafSha256: record.leafSha256,
  notBefore: new Date(record.notBefore * 1000).toISOString(),
  notAfter: new Date(record.notAfter * 1000).toISOString(),
});

/** Undefined for a line that is no such item. */
export const readItem = (line: string): IssuanceRecord | undefined => {
  let item: unknown;
  try {
    item = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!validator.Check(item)) return undefined;
  const { identity, pod, serial, spkiSha256, leafSha256 } = item;
  return {
    identity,
    pod: pod ?? undefined,
    serial,
    spkiSha256,
    leafSha256,
    issuedAt: Date.parse(item.issuedAt),
    notBefore: Date.parse(item.notBefore) / 1000,
    notAfter: Date.parse(item.notAfter) / 1000,
  };
};
