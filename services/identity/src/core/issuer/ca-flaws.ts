import type { Problem } from '@gatehouse/core/problem';
import { printTime } from '@gatehouse/core/time-span';
import type { CaCertificate } from './ca-certificate.ts';

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

export interface CaPosition {
  /** How many CAs the path has below it. */
  readonly below: number;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** What forbids a certificate to be a CA in the path of our leaves now, each in words for people. */
export const flawsOf = (ca: CaCertificate, { below, now }: CaPosition): readonly Problem[] => {
  const flaws = [...dateFlaws(ca, now), ...powerFlaws(ca, below)];
  // webpki wants the purpose at hand in every certificate that names any, and does not take anyExtendedKeyUsage for it.
  const missing = [serverAuth, clientAuth].filter((purpose) => ca.purposes?.includes(purpose) === false);
  if (missing.length > 0) {
    flaws.push(flaw(`${ca.name} has an extendedKeyUsage without serverAuth and clientAuth`, 'leave it out'));
  }
  for (const oid of ca.unknownCritical) {
    flaws.push(
      flaw(`${ca.name} has the critical extension ${oid}, which proxies do not know`, 'leave it out'),
    );
  }
  for (const oddity of ca.oddities) {
    flaws.push(flaw(`${ca.name} ${oddity}`, 'make it again (RFC 5280 §4.1, §4.2)'));
  }
  return flaws;
};

export const flaw = (found: string, fix: string): Problem => ({ field: 'issuer', found, fix });

/** With the times themselves and not the spans until then, so that a reason stays the same from one look to the next. */
export const dateFlaws = ({ name, notBefore, notAfter }: CaCertificate, now: number): readonly Problem[] => {
  if (now < notBefore) {
    return [flaw(`${name} is valid only from ${printTime(notBefore * 1000)}`, 'wait, or compare the clocks')];
  }
  return now >= notAfter ? [flaw(`${name} expired at ${printTime(notAfter * 1000)}`, 'renew it')] : [];
};

const powerFlaws = (
  { name, ca, signsCertificates, isVerifiable }: CaCertificate,
  below: number,
): readonly Problem[] => {
  const flaws: Problem[] = [];
  if (ca === undefined) {
    flaws.push(flaw(`${name} is not a CA`, 'make it with basicConstraints CA:TRUE (RFC 5280 §4.2.1.9)'));
  } else if (ca.pathLength !== undefined && ca.pathLength < below) {
    flaws.push(flaw(`${name} allows ${ca.pathLength} CAs below it, there are ${below}`, 'shorten the chain'));
  }
  // Proxies do not look at it, but every other verifier does.
  if (!signsCertificates) {
    flaws.push(flaw(`${name} may not sign certificates`, 'give it keyUsage keyCertSign (RFC 5280 §4.2.1.3)'));
  }
  if (!isVerifiable) {
    flaws.push(
      flaw(
        `${name} has a key that proxies do not verify with`,
        'use ECDSA P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 8192 bits',
      ),
    );
  }
  return flaws;
};
