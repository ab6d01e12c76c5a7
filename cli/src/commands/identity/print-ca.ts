import { printMoment } from '../../print/human-time.ts';
import type { Shown } from '../../print/output.ts';
import type { Terminal } from '../../print/terminal.ts';
import type { CaCertificate } from './issuer-report.ts';

/** From here on identity warns, too (docs/identity.md). */
const littleLeft = 0.2;

export interface NamedCa {
  readonly role: string;
  readonly certificate: CaCertificate;
}

/** Issuer, intermediates and roots as a table. */
export const tableOfCas = (
  cas: readonly NamedCa[],
  { now, paint }: { readonly now: number; readonly paint: Terminal['paint'] },
): Omit<Shown, 'value'> => ({
  heads: ['role', 'subject', 'key', 'expires', 'life left'],
  rows: cas.map(({ role, certificate }) => [
    role,
    certificate.subject,
    certificate.key,
    printMoment(Date.parse(certificate.notAfter), now),
    printLife(certificate, { now, paint }),
  ]),
  wideHeads: ['not before', 'not after', 'serial', 'sha-256'],
  wideRows: cas.map(({ certificate: { notBefore, notAfter, serial, sha256 } }) => [
    notBefore,
    notAfter,
    serial,
    sha256,
  ]),
});

const printLife = (
  { notBefore, lifeLeft: left }: CaCertificate,
  { now, paint }: { readonly now: number; readonly paint: Terminal['paint'] },
): string => {
  if (now < Date.parse(notBefore)) return paint('red', 'not valid yet');
  if (left <= 0) return paint('red', 'expired');
  const text = left < 0.01 ? 'under 1 %' : `${Math.floor(left * 100)} %`;
  return left < littleLeft ? paint('yellow', text) : text;
};
