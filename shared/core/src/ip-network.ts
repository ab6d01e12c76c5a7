import { type Parsed, parsed, problem } from './problem.ts';

/** An IPv4 or IPv6 address as a number; IPv4-mapped IPv6 (`::ffff:a.b.c.d`) is read as IPv4, as the proxy does. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** A network in CIDR terms; host bits are zero. */
export interface IpNetwork {
  readonly family: 4 | 6;
  readonly bits: bigint;
  /** 0–32 or 0–128. */
  readonly prefix: number;
}

/** A network without its exceptions. */
export interface NetworkMatch {
  readonly net: IpNetwork;
  readonly except: readonly IpNetwork[];
}

/** The family of an address that was read before, from its text alone: it is asked for every endpoint. */
export const isV6 = (ip: string): boolean => ip.includes(':');

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128);

const readV4 = (text: string): bigint | undefined => {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
};

/** `ending` = the text ends the address, and so may end in an IPv4 address (RFC 4291 §2.2). */
const readHextets = (text: string, ending: boolean): bigint[] | undefined => {
  if (text === '') return [];
  const words: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (ending && index === parts.length - 1 && part.includes('.')) {
      const v4 = readV4(part);
      if (v4 === undefined) return undefined;
      words.push(v4 >> 16n, v4 & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      words.push(BigInt(`0x${part}`));
    } else {
      return undefined;
    }
  }
  return words;
};

const readV6 = (text: string): bigint | undefined => {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readHextets(halves[0] ?? '', halves.length === 1);
  const tail = readHextets(halves[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const words = [...head, ...Array<bigint>(missing).fill(0n), ...tail];
  return words.reduce((bits, word) => (bits << 16n) | word, 0n);
};

const mappedPrefix = 0xffffn;

/** Reads an address without zone or prefix; undefined when the text is none. Leading zeros are refused (they are octal to some). */
export const readIp = (text: string): IpAddress | undefined => {
  const v4 = readV4(text);
  if (v4 !== undefined) return { family: 4, bits: v4 };
  if (!text.includes(':')) return undefined;
  const v6 = readV6(text);
  if (v6 === undefined) return undefined;
  return v6 >> 32n === mappedPrefix ? { family: 4, bits: v6 & 0xffff_ffffn } : { family: 6, bits: v6 };
};

/** Prints IPv4 dotted, IPv6 as RFC 5952 has it. */
export const printIp = ({ family, bits }: IpAddress): string => {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
  const words = Array.from({ length: 8 }, (_, index) => (bits >> BigInt(112 - 16 * index)) & 0xffffn);
  let [start, length] = [-1, 1];
  for (let from = 0; from < 8; from += 1) {
    let to = from;
    while (to < 8 && words[to] === 0n) to += 1;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const hex = words.map((word) => word.toString(16));
  return start < 0
    ? hex.join(':')
    : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
};

/** The bits of an address that a prefix of this length fixes. */
export const networkMask = (family: 4 | 6, prefix: number): bigint => {
  const all = (1n << BigInt(width(family))) - 1n;
  return all ^ (all >> BigInt(prefix));
};

/** Reads `10.0.0.0/8`, `fd00::/8` or a bare address (its full length). Host bits are cleared, as Linkerd does. */
export const parseNetwork = (text: string, field = ''): Parsed<IpNetwork> => {
  const [address, length, ...rest] = text.split('/');
  const ip = readIp(address ?? '');
  const expected = 'use an IPv4 or IPv6 address, or a CIDR such as 10.0.0.0/8';
  if (ip === undefined || rest.length > 0)
    return problem(field, `\`${text}\` is not a valid network`, expected);
  if (length === undefined) return parsed(hostNetwork(ip));
  // A mapped network counts its prefix from the start of the IPv6 address; one below 96 is more than IPv4.
  const [skipped, most] = ip.family === 4 && text.includes(':') ? [96, 128] : [0, width(ip.family)];
  const prefix = /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) - skipped : -1;
  if (prefix < 0 || prefix > width(ip.family)) {
    return problem(field, `\`${text}\` has no valid prefix length`, `${skipped} to ${most} after the slash`);
  }
  return parsed({ family: ip.family, bits: ip.bits & networkMask(ip.family, prefix), prefix });
};

/** The network that holds just this address: /32 or /128. */
export const hostNetwork = (ip: IpAddress): IpNetwork => ({ ...ip, prefix: width(ip.family) });

export const printNetwork = ({ family, bits, prefix }: IpNetwork): string =>
  `${printIp({ family, bits })}/${prefix}`;

export const networkContains = (net: IpNetwork, ip: IpAddress): boolean =>
  net.family === ip.family && (ip.bits & networkMask(net.family, net.prefix)) === net.bits;

/** Whether every address of `inner` is in `outer`. */
export const networkCovers = (outer: IpNetwork, inner: IpNetwork): boolean =>
  inner.prefix >= outer.prefix && networkContains(outer, inner);

export const matchesNetwork = ({ net, except }: NetworkMatch, ip: IpAddress): boolean =>
  networkContains(net, ip) && !except.some((hole) => networkContains(hole, ip));

/** The addresses that both hold; undefined where there are none, as far as that is seen without adding up exceptions. */
export const commonNetwork = (a: NetworkMatch, b: NetworkMatch): NetworkMatch | undefined => {
  const [inner, outer] = networkCovers(b.net, a.net) ? [a, b] : [b, a];
  if (!networkCovers(outer.net, inner.net)) return undefined;
  const holes = outer.except.filter(
    (hole) => networkCovers(inner.net, hole) || networkCovers(hole, inner.net),
  );
  if (holes.length === 0) return inner;
  const except = [...inner.except, ...holes];
  return except.some((hole) => networkCovers(hole, inner.net)) ? undefined : { net: inner.net, except };
};

/** 0.0.0.0/0 and ::/0: every client. */
export const everywhere: readonly NetworkMatch[] = Object.freeze([
  { net: { family: 4, bits: 0n, prefix: 0 }, except: [] },
  { net: { family: 6, bits: 0n, prefix: 0 }, except: [] },
] satisfies NetworkMatch[]);
