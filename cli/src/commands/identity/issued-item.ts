import { parseIdentity, printBriefly } from '@gatehouse/core/mesh/workload-identity';
import { type Static, Type } from 'typebox';

/** What these commands read of a certificate in `/v1/certificates`; whatever else is said goes on into json and yaml. */
export const IssuedItem = Type.Object({
  issuedAt: Type.String(),
  identity: Type.String(),
  pod: Type.Union([
    Type.Object({ namespace: Type.String(), name: Type.String(), uid: Type.String() }),
    Type.Null(),
  ]),
  serial: Type.String(),
  spkiSha256: Type.String(),
  notBefore: Type.String(),
  notAfter: Type.String(),
  /** Which replica of identity issued it. */
  replica: Type.Optional(Type.String()),
  /** Set when the pod had gone on to a newer key before this one was certified. */
  suspicious: Type.Optional(
    Type.Union([Type.Object({ newerSpkiSha256: Type.String(), newerSince: Type.String() }), Type.Null()]),
  ),
});
export type IssuedItem = Static<typeof IssuedItem>;

/** A replica that could not be asked: what it issued is missing from the answer. */
const Missing = Type.Object({ replica: Type.String(), reason: Type.String() });

export const IssuedPage = Type.Object({
  items: Type.Array(IssuedItem),
  continue: Type.Optional(Type.String()),
  partial: Type.Optional(Type.Array(Missing)),
});
export type IssuedPage = Static<typeof IssuedPage>;

export const isSuspicious = ({ suspicious }: IssuedItem): boolean =>
  suspicious !== undefined && suspicious !== null;

/** The part of an identity that people say. */
export const shortIdentity = (identity: string): string => printBriefly(parseIdentity(identity));

/** Of serials and hashes: what tells them apart in a table. `wide`, json and yaml have all of it. */
export const shortHex = (text: string): string => (text.length > 12 ? text.slice(0, 12) : text);
