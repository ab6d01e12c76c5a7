import { pemOf } from '@gatehouse/platform/tls/material';
import { anAuthority, aTlsMaterial } from '../certificates.ts';

/** A certificate with the right name from a root that nobody here trusts. Both in PEM. */
export const makeForeignCertificate = (
  name: string,
): { readonly certificate: string; readonly key: string } => {
  const { key, chain } = aTlsMaterial(anAuthority({ name: 'a root of another mesh' }), { name });
  return {
    certificate: chain.map(pemOf).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};
