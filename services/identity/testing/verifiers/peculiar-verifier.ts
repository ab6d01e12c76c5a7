import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from '@peculiar/x509';
import type { PresentedLeaf } from './presented-leaf.ts';
import type { Verifier } from './verifier.ts';

/** @peculiar/x509, whose own path check looks at neither dates, CA flags nor purposes: those are read with it and judged here. */
export const peculiarVerifier: Verifier = {
  name: '@peculiar/x509',
  missing: undefined,
  refusal: async (presented) => {
    const { leaf, intermediates, root } = presented;
    const chain = [leaf, ...intermediates, root].map(
      (der) => new X509Certificate(der as Uint8Array<ArrayBuffer>),
    );
    const [own] = chain;
    if (own === undefined) return 'there is no leaf';
    const flaw = flawOfLeaf(own, presented);
    if (flaw !== undefined) return flaw;
    for (const [index, certificate] of chain.entries()) {
      const issuer = chain[index + 1];
      const found = `certificate ${index}`;
      const now = new Date();
      if (certificate.notBefore > now || certificate.notAfter < now) return `${found} is not valid now`;
      if (issuer === undefined) continue;
      const constraints = issuer.getExtension(BasicConstraintsExtension);
      const usages = issuer.getExtension(KeyUsagesExtension)?.usages ?? KeyUsageFlags.keyCertSign;
      if (constraints?.ca !== true || (usages & KeyUsageFlags.keyCertSign) === 0) {
        return `the issuer of ${found} is not a CA`;
      }
      if ((constraints.pathLength ?? index) < index) return `the issuer of ${found} allows no CA so deep`;
      if (certificate.issuer !== issuer.subject) return `${found} was issued by somebody else`;
      const verified = await certificate.verify({ publicKey: issuer.publicKey }, webcrypto as Crypto);
      if (!verified) return `the signature of ${found} does not verify`;
    }
    return undefined;
  },
};

const flawOfLeaf = (leaf: X509Certificate, { identity, key }: PresentedLeaf): string | undefined => {
  const names = leaf.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  if (names.length !== 1 || names[0]?.type !== 'dns' || names[0].value !== identity) {
    return `the leaf is for ${names.map(({ value }) => value).join()}`;
  }
  const purposes = leaf.getExtension(ExtendedKeyUsageExtension)?.usages.map(String) ?? [];
  if (!['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'].every((purpose) => purposes.includes(purpose))) {
    return `the leaf is for the purposes ${purposes.join()}`;
  }
  const spki = createPublicKey(key as Parameters<typeof createPublicKey>[0]);
  return spki.export({ type: 'spki', format: 'der' }).equals(Buffer.from(leaf.publicKey.rawData))
    ? undefined
    : 'the leaf is for another key';
};
