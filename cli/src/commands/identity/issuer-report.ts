import { type Static, Type } from 'typebox';

/** What these commands read of a root, intermediate or issuer. */
const certificate = {
  subject: Type.String(),
  serial: Type.String(),
  key: Type.String(),
  notBefore: Type.String(),
  notAfter: Type.String(),
  sha256: Type.String(),
  lifeLeft: Type.Number(),
};

export const CaCertificate = Type.Object(certificate);
export type CaCertificate = Static<typeof CaCertificate>;

/** `/v1/issuer`. */
export const IssuerReport = Type.Object({
  usable: Type.Boolean(),
  issuer: Type.Union([
    Type.Object({
      ...certificate,
      algorithm: Type.String(),
      intermediates: Type.Array(CaCertificate),
      anchor: CaCertificate,
    }),
    Type.Null(),
  ]),
  rejected: Type.Union([
    Type.Object({
      since: Type.String(),
      problems: Type.Array(Type.Object({ field: Type.String(), found: Type.String(), fix: Type.String() })),
    }),
    Type.Null(),
  ]),
  /** What is near its end, each with what comes of it. */
  warnings: Type.Array(Type.Object({ role: Type.String(), found: Type.String(), fix: Type.String() })),
});
export type IssuerReport = Static<typeof IssuerReport>;

/** `/v1/trust-bundle` in JSON. */
export const TrustBundle = Type.Object({
  certificates: Type.Array(Type.Object({ ...certificate, pem: Type.String() })),
});
export type TrustBundle = Static<typeof TrustBundle>;
