import { X509Certificate } from 'node:crypto';
import { GatehouseError } from '@gatehouse/core/error';
import { type Parsed, parsed, printProblem, problem } from '@gatehouse/core/problem';
import { readStateFile } from '../state/state-files.ts';
import { pemOf } from './material.ts';

/** The certificates of a PEM text, and the same written again. */
export interface PemBundle {
  /** X.509 in DER, in the order of the text. */
  readonly certificates: readonly Uint8Array[];
  /** RFC 7468 §3, and nothing but certificates. */
  readonly pem: string;
}

const begin = '-----BEGIN ';
const dashes = '-----';
/** The second is what OpenSSL wrote long ago, of the same content. */
const certificateLabels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE']);

/**
 * Reads every certificate of a text that people wrote: indented, glued together on one line, with comments or keys between
 * them. TLS libraries do not agree on such texts: OpenSSL reads neither a certificate that is indented nor one that begins
 * in the middle of a line. So what is handed on is `pem`, which all of them read alike, and never the text that was judged.
 * A problem's `found` completes a sentence that begins with the file's name.
 */
export const readPemBundle = (text: string): Parsed<PemBundle> => {
  const certificates: Uint8Array[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
    const endOfLabel = text.indexOf(dashes, at + begin.length);
    if (endOfLabel < 0) return problem('', 'ends within a line `-----BEGIN …`', 'write it whole');
    const label = text.slice(at + begin.length, endOfLabel);
    at = endOfLabel + dashes.length;
    if (label === 'TRUSTED CERTIFICATE') {
      return problem('', 'holds a `TRUSTED CERTIFICATE`, which is not X.509', 'convert it with openssl x509');
    }
    if (!certificateLabels.has(label)) continue;
    const end = text.indexOf(`-----END ${label}-----`, at);
    if (end < 0) return problem('', 'ends within a certificate', 'write it whole');
    const certificate = readCertificate(text.slice(at, end));
    if (certificate === undefined) {
      return problem(
        '',
        `holds a certificate, number ${certificates.length + 1}, that cannot be read`,
        'write X.509 in base64 between BEGIN and END',
      );
    }
    certificates.push(certificate);
    at = end;
  }
  return certificates.length === 0
    ? problem('', 'holds no certificate', 'use PEM (-----BEGIN CERTIFICATE-----)')
    : parsed({ certificates, pem: certificates.map(pemOf).join('') });
};

/** Exactly one certificate and nothing after it, or undefined: what follows would be handed on without having been judged. */
const readCertificate = (base64: string): Uint8Array | undefined => {
  const compact = base64.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return undefined;
  const der = Buffer.from(compact, 'base64');
  try {
    return new X509Certificate(der).raw.equals(der) ? der : undefined;
  } catch {
    return undefined;
  }
};

/** Reads a bundle of trust anchors for a TLS library; rejects with what is wrong with the file. */
export const readTrustAnchors = async (path: string): Promise<string> => {
  const bundle = readPemBundle(await readStateFile(path));
  if (bundle.ok) return bundle.value.pem;
  throw new GatehouseError('failed-precondition', `${path} ${bundle.problems.map(printProblem).join('; ')}`);
};
