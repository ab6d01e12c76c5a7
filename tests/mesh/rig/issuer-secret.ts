import { anAuthority, type TestAuthority } from '@gatehouse/dev/certificates';

/** How a certificate names the issuer that `issuerSecret` makes. */
export const issuerSubject = (name: string): string => `CN=${name}`;

/** An issuer below a root, as cert-manager would leave it in a Secret. */
export const issuerSecret = (name: string, root: TestAuthority): Readonly<Record<string, string>> => {
  const issuer = anAuthority({ name, issuedBy: root });
  const key = issuer.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { 'tls.crt': issuer.pem, 'tls.key': key };
};
