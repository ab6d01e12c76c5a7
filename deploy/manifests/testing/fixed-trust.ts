import type { Trust } from '../src/objects/trust.ts';

const pem = (label: string, text: string): string =>
  `-----BEGIN ${label}-----\n${btoa(text)}\n-----END ${label}-----\n`;

/** The same in every run, and of no use: what is compared is where it stands. */
export const fixedTrust: Trust = {
  anchors: pem('CERTIFICATE', 'a root'),
  issuer: { certificate: pem('CERTIFICATE', 'an issuer'), key: pem('PRIVATE KEY', 'its key') },
};
