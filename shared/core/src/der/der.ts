/**
 * Writes DER (X.690) for certificates and signing requests; parse-der.ts reads it. These are the identifier octets of what
 * X.509 is made of; context-specific ones come from `contextTag`.
 */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `[number]`, primitive or constructed. */
export const contextTag = (number: number, form: 'primitive' | 'constructed'): number =>
  0x80 | (form === 'constructed' ? 0x20 : 0) | number;

export const joinBytes = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const lengthOctets = (length: number): number[] => {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
};

/** One element: identifier, minimal definite length, the parts as content. */
export const writeDer = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = joinBytes(parts);
  return joinBytes([Uint8Array.from([tag, ...lengthOctets(content.length)]), content]);
};

export const derSequence = (...parts: readonly Uint8Array[]): Uint8Array =>
  writeDer(derTag.sequence, ...parts);

/** Members are sorted by their encoding, as DER wants of a SET OF (X.690 11.6). */
export const derSet = (...parts: readonly Uint8Array[]): Uint8Array =>
  writeDer(derTag.set, ...[...parts].sort(compareBytes));

/** A whole number of any size, or the big-endian octets of a positive one. */
export const derInteger = (value: number | bigint | Uint8Array): Uint8Array => {
  if (value instanceof Uint8Array) {
    const start = value.findIndex((octet) => octet !== 0);
    const digits = start < 0 ? Uint8Array.of(0) : value.subarray(start);
    return writeDer(derTag.integer, Uint8Array.from((digits[0] ?? 0) >= 0x80 ? [0] : []), digits);
  }
  const octets: number[] = [];
  let rest = BigInt(value);
  do {
    octets.unshift(Number(rest & 0xffn));
    rest >>= 8n;
  } while (!(rest === 0n && (octets[0] ?? 0) < 0x80) && !(rest === -1n && (octets[0] ?? 0) >= 0x80));
  return writeDer(derTag.integer, Uint8Array.from(octets));
};

/** An object identifier from its dotted form, such as `2.5.29.17`. */
export const derOid = (dotted: string): Uint8Array => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      septets.unshift(0x80 | (left % 128));
    }
    return septets;
  });
  return writeDer(derTag.oid, Uint8Array.from(octets));
};

/** Whole octets as a BIT STRING; `unusedBits` (0–7) at the end of the last octet must be zero there. */
export const derBitString = (octets: Uint8Array, unusedBits = 0): Uint8Array =>
  writeDer(derTag.bitString, Uint8Array.of(unusedBits), octets);

export const derOctetString = (...parts: readonly Uint8Array[]): Uint8Array =>
  writeDer(derTag.octetString, ...parts);

export const derBoolean = (value: boolean): Uint8Array =>
  writeDer(derTag.boolean, Uint8Array.of(value ? 0xff : 0));

export const derNull = (): Uint8Array => writeDer(derTag.null);

/** Text under any string tag; the caller answers for its alphabet. */
export const derText = (tag: number, text: string): Uint8Array =>
  writeDer(tag, new TextEncoder().encode(text));

/** A point in time in whole seconds since 1970: UTCTime until 2049, GeneralizedTime after (RFC 5280 4.1.2.5). */
export const derTime = (epochSeconds: number): Uint8Array => {
  const days = Math.floor(epochSeconds / 86_400);
  const { year, month, day } = civilDate(days);
  const second = epochSeconds - days * 86_400;
  const fields = [month, day, Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60];
  const rest = `${fields.map((field) => String(field).padStart(2, '0')).join('')}Z`;
  return year >= 1950 && year < 2050
    ? derText(derTag.utcTime, `${String(year % 100).padStart(2, '0')}${rest}`)
    : derText(derTag.generalizedTime, `${String(year).padStart(4, '0')}${rest}`);
};

/** The Gregorian date of a day counted from 1970-01-01, by eras of 400 years that begin in March (core knows no clock and no Date). */
export const civilDate = (days: number): { year: number; month: number; day: number } => {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
};

/** Lexicographic, a prefix before what it begins. */
export const compareBytes = (left: Uint8Array, right: Uint8Array): number => {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
};
