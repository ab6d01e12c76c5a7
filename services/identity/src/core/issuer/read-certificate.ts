import { contextTag, derTag } from '@gatehouse/core/der/der';
import { type DerNode, parseDer, readBitString, readOid } from '@gatehouse/core/der/parse-der';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

/** The fields of a TBSCertificate (RFC 5280 §4.1.2), names and keys as their own DER. */
export interface CertificateFields {
  /** 0, 1, 2 for v1, v2, v3. */
  readonly version: number;
  /** The content of the INTEGER: two's complement. */
  readonly serial: Uint8Array;
  readonly algorithm: Uint8Array;
  readonly issuer: Uint8Array;
  /** Whole seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly hasUniqueIds: boolean;
  readonly extensions: readonly CertificateExtension[];
}

export interface CertificateExtension {
  /** Dotted. */
  readonly oid: string;
  readonly critical: boolean;
  /** The content of the OCTET STRING. */
  readonly value: Uint8Array;
}

const fix = 'use an X.509 certificate in DER (RFC 5280 §4.1)';

const is = (node: DerNode | undefined, tag: number): node is DerNode => node?.tag === tag;

export const readTbsCertificate = (der: Uint8Array): Parsed<CertificateFields> => {
  const outcome = parseDer(der, 'certificate');
  return outcome.ok ? readFields(outcome.value) : outcome;
};

/** A whole certificate; its signature is not looked at, but the algorithm must be named alike inside and outside. */
export const readCertificate = (der: Uint8Array): Parsed<CertificateFields> => {
  const outcome = parseDer(der, 'certificate');
  if (!outcome.ok) return outcome;
  const [tbs, algorithm, signature, ...more] = outcome.value.children;
  if (
    tbs === undefined ||
    algorithm === undefined ||
    readBitString(signature) === undefined ||
    more.length > 0
  ) {
    return problem('certificate', 'it is not TBSCertificate, algorithm and signature', fix);
  }
  const fields = readFields(tbs);
  if (fields.ok && fields.value.algorithm.toHex() !== algorithm.bytes.toHex()) {
    return problem('certificate', 'its signature algorithm differs inside and outside', fix);
  }
  return fields;
};

const readFields = (tbs: DerNode): Parsed<CertificateFields> => {
  const children = [...tbs.children];
  const explicitVersion = is(children[0], contextTag(0, 'constructed')) ? children.shift() : undefined;
  const [number] = explicitVersion?.children ?? [];
  const version =
    explicitVersion === undefined ? 0 : is(number, derTag.integer) ? number.content[0] : undefined;
  const [serial, algorithm, issuer, validity, subject, spki, ...optional] = children;
  const [from, until] = validity?.children ?? [];
  const notBefore = readTime(from);
  const notAfter = readTime(until);
  if (
    !is(tbs, derTag.sequence) ||
    version === undefined ||
    !is(serial, derTag.integer) ||
    !is(algorithm, derTag.sequence) ||
    !is(issuer, derTag.sequence) ||
    !is(validity, derTag.sequence) ||
    notBefore === undefined ||
    notAfter === undefined ||
    !is(subject, derTag.sequence) ||
    !is(spki, derTag.sequence)
  ) {
    return problem('certificate', 'a field of its TBSCertificate is missing or of another type', fix);
  }
  const last = optional.at(-1);
  const list = is(last, contextTag(3, 'constructed')) ? last.children[0] : undefined;
  const extensions: CertificateExtension[] = [];
  if (list !== undefined && !is(list, derTag.sequence)) {
    return problem('certificate', 'its extensions are not a list', fix);
  }
  for (const node of list?.children ?? []) {
    const extension = readExtension(node);
    if (extension === undefined) return problem('certificate', 'it has a malformed extension', fix);
    extensions.push(extension);
  }
  return parsed({
    version,
    serial: serial.content,
    algorithm: algorithm.bytes,
    issuer: issuer.bytes,
    notBefore,
    notAfter,
    subject: subject.bytes,
    spki: spki.bytes,
    hasUniqueIds: optional.length > (list === undefined ? 0 : 1),
    extensions,
  });
};

const readExtension = (node: DerNode): CertificateExtension | undefined => {
  const [type, ...parts] = node.children;
  const oid = readOid(type);
  const value = parts.at(-1);
  const flag = parts.length === 2 ? parts[0] : undefined;
  if (!is(node, derTag.sequence) || oid === undefined || !is(value, derTag.octetString)) return undefined;
  if (parts.length > 2) return undefined;
  if (parts.length === 2 && !is(flag, derTag.boolean)) return undefined;
  return { oid, critical: flag?.content[0] === 0xff, value: value.content };
};

/** Seconds since the epoch from UTCTime or GeneralizedTime in the one form that RFC 5280 §4.1.2.5 allows: to the second, in Z. */
const readTime = (node: DerNode | undefined): number | undefined => {
  const yearDigits = node?.tag === derTag.utcTime ? 2 : node?.tag === derTag.generalizedTime ? 4 : 0;
  const text = node?.content ?? new Uint8Array();
  if (yearDigits === 0 || text.length !== yearDigits + 11 || text.at(-1) !== z) return undefined;
  const month = twoDigits(text, yearDigits);
  const day = twoDigits(text, yearDigits + 2);
  const hour = twoDigits(text, yearDigits + 4);
  const minute = twoDigits(text, yearDigits + 6);
  const second = twoDigits(text, yearDigits + 8);
  const year =
    yearDigits === 2 ? centuryOf(twoDigits(text, 0)) : 100 * twoDigits(text, 0) + twoDigits(text, 2);
  // What is not a digit is NaN, of which no comparison holds.
  const isTime =
    month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60;
  return isTime && year >= 0
    ? daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
    : undefined;
};

const z = 0x5a;

const centuryOf = (year: number): number => year + (year >= 50 ? 1900 : 2000);

const twoDigits = (text: Uint8Array, at: number): number => {
  const tens = (text[at] ?? 0) - 0x30;
  const ones = (text[at + 1] ?? 0) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
};

/** The Gregorian calendar with years that begin in March, so that the leap day comes last. */
const daysSinceEpoch = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
};
