import { dnsNamesOf } from '@gatehouse/core/der/certificate-names';

/**
 * Why a certificate (DER) is not that of `name`, or undefined. As the proxy does it: one SAN must be it; wildcards and
 * common names do not count. The path to the anchors is another question.
 */
export const nameFlaw = (certificate: Uint8Array, name: string): string | undefined => {
  const names = dnsNamesOf(certificate);
  return names.includes(name.toLowerCase()) ? undefined : `\`${names.join('`, `')}\`, not \`${name}\``;
};
