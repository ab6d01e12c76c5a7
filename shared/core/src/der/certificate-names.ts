import { contextTag, derTag } from './der.ts';
import { type DerNode, parseDer, readOid } from './parse-der.ts';

const subjectAltName = '2.5.29.17';

/**
 * The DNS names of a certificate's subjectAltName in their order (RFC 5280 4.2.1.6), lower-cased as the proxy does; none
 * when the bytes are not a certificate. Says nothing about trust.
 */
export const dnsNamesOf = (certificate: Uint8Array): readonly string[] => {
  const whole = parseDer(certificate);
  const tbs = whole.ok ? whole.value.children[0] : undefined;
  const extensions = tbs?.children.find((node) => node.tag === contextTag(3, 'constructed'))?.children[0];
  const extension = extensions?.children.find((node) => readOid(node.children[0]) === subjectAltName);
  const value = extension?.children.find((node) => node.tag === derTag.octetString);
  const names = value === undefined ? undefined : parseDer(value.content);
  return names?.ok === true ? names.value.children.flatMap(dnsName) : [];
};

const dnsName = (node: DerNode): string[] =>
  node.tag === contextTag(2, 'primitive')
    ? [new TextDecoder('latin1').decode(node.content).toLowerCase()]
    : [];
