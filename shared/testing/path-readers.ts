import { posix, win32 } from 'node:path';

/**
 * Small models of how servers read the path of a request: what it names once it is decoded and normalised. They are written
 * from the servers' documentation and public advisories, each for one way of reading, and lean towards reading too much: a
 * model that refuses nothing finds more spellings that lead elsewhere.
 */
export interface PathReader {
  readonly id: string;
  /** What it does with a path, and where that is from. */
  readonly does: string;
  /** The path as the application sees it; undefined when the server answers 400 or 404 instead. */
  read(raw: string): string | undefined;
}

/** One byte a character. */
type Bytes = string;

const bytesOf = (text: string): Bytes => Buffer.from(text).toString('latin1');
const textOf = (bytes: Bytes): string => Buffer.from(bytes, 'latin1').toString();

/** Replaces escapes once. What is not a valid escape is left, or makes the whole unreadable. */
const decode = (bytes: Bytes, malformed: 'left' | 'refused'): Bytes | undefined => {
  if (malformed === 'refused' && /%(?![\da-f]{2})/i.test(bytes)) return undefined;
  return bytes.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
};

/** `%u002e`, as IIS and Jetty had it. */
const decodeUnicodeEscapes = (raw: string): string =>
  raw.replace(/%u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** UTF-8 as decoders read it that do not look for the shortest form. */
const decodeOverlong = (bytes: Bytes): string =>
  bytes
    .replace(/[\xfc-\xfd][\x80-\xbf]{5}|[\xf8-\xfb][\x80-\xbf]{4}|[\xf0-\xf7][\x80-\xbf]{3}/g, lastBits)
    .replace(/[\xe0-\xef][\x80-\xbf]{2}|[\xc0-\xdf][\x80-\xbf]/g, lastBits);

/** What overlong forms are good for lies within ASCII. */
const lastBits = (sequence: string): string => {
  const first = sequence.charCodeAt(0) & (0x7f >> sequence.length);
  const code = [...sequence.slice(1)].reduce((sum, byte) => sum * 64 + (byte.charCodeAt(0) & 0x3f), first);
  return code < 0x80 ? String.fromCharCode(code) : sequence;
};

/** RFC 3986 §5.2.4 on decoded segments, empty ones merged; above the root is the root. */
const resolve = (path: string): string => posix.normalize(`/${path}`);

const withoutParameters = (path: string): string => path.replace(/;[^/]*/g, '');

/** What Windows' ANSI functions make of characters that the code page lacks ("best fit"), as far as it is the same in all of them. */
const bestFit = (text: string): string =>
  text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/[\u2215\u2044]/g, '/')
    .replace(/\u2216/g, '\\')
    .replace(/\u2024/g, '.');

/** Spaces at the end of a name are nothing to Windows. */
const withoutEndingSpaces = (path: string): string => path.replace(/ +(?=\/|$)/g, '');

const decodedUri = (raw: string, normalize: (path: string) => string): string | undefined => {
  try {
    const path = decodeURIComponent(raw);
    return path.includes('\0') ? undefined : normalize(path);
  } catch {
    return undefined;
  }
};

export const pathReaders: readonly PathReader[] = [
  {
    id: 'nginx',
    does: 'decodes once, merges slashes, resolves dot segments; refuses NUL and what is not a valid escape',
    read: (raw) => {
      const path = decode(bytesOf(raw), 'refused');
      return path === undefined || path.includes('\0') ? undefined : textOf(resolve(path));
    },
  },
  {
    id: 'apache',
    does: 'as nginx, and refuses escaped slashes (AllowEncodedSlashes Off)',
    read: (raw) => {
      const path = /%2f/i.test(raw) ? undefined : decode(bytesOf(raw), 'refused');
      return path === undefined || path.includes('\0') ? undefined : textOf(resolve(path));
    },
  },
  {
    id: 'apache-2.4.50',
    does: 'decodes twice, leaves what is not a valid escape (CVE-2021-41773, CVE-2021-42013)',
    read: (raw) => {
      const once = decode(bytesOf(raw), 'left') ?? '';
      return textOf(resolve(decode(once, 'left') ?? ''));
    },
  },
  {
    id: 'go',
    does: 'net/http: decodes once, path.Clean',
    read: (raw) => {
      const path = decode(bytesOf(raw), 'refused');
      return path === undefined ? undefined : textOf(resolve(path));
    },
  },
  {
    id: 'express',
    does: 'express.static: decodeURIComponent, path.normalize',
    read: (raw) => decodedUri(raw, (path) => posix.normalize(path)),
  },
  {
    id: 'express-windows',
    does: 'the same with path.win32.normalize',
    read: (raw) => decodedUri(raw, (path) => win32.normalize(path).replaceAll('\\', '/')),
  },
  {
    id: 'whatwg-url',
    does: 'new URL(request.url): dot segments as WHATWG spells them, backslashes; tabs and line breaks are dropped',
    read: (raw) => {
      if (!URL.canParse(raw, 'http://app')) return undefined;
      return decodedUri(new URL(raw, 'http://app').pathname, (path) => path);
    },
  },
  {
    id: 'python',
    does: 'http.server: unquote leaves what is not a valid escape, posixpath.normpath',
    read: (raw) => textOf(resolve(decode(bytesOf(raw), 'left') ?? '')),
  },
  {
    id: 'tomcat',
    does: 'takes parameters off each segment, decodes once, normalises; refuses escaped slashes and backslashes',
    read: (raw) => {
      if (/%2f|%5c|\\/i.test(raw)) return undefined;
      const path = decode(bytesOf(withoutParameters(raw)), 'refused');
      return path === undefined ? undefined : textOf(resolve(path));
    },
  },
  {
    id: 'spring',
    does: 'the same with both allowed, and takes parameters off after decoding too (UrlPathHelper)',
    read: (raw) => {
      const path = decode(bytesOf(withoutParameters(raw)), 'refused');
      return path === undefined ? undefined : textOf(resolve(withoutParameters(path.replaceAll('\\', '/'))));
    },
  },
  {
    id: 'java-6',
    does: 'a lenient decoder of UTF-8: overlong forms (CVE-2008-2938)',
    read: (raw) => resolve(decodeOverlong(decode(bytesOf(raw), 'left') ?? '').replaceAll('\\', '/')),
  },
  {
    id: 'jetty',
    does: '`%u002e`, parameters taken off before and after decoding (CVE-2021-34429, CVE-2021-28164)',
    read: (raw) =>
      resolve(
        withoutParameters(
          textOf(decode(bytesOf(decodeUnicodeEscapes(withoutParameters(raw))), 'left') ?? ''),
        ),
      ),
  },
  {
    id: 'iis',
    does: '`%u002e`, escapes of escapes, backslashes, best fit, spaces at the end of a name',
    read: (raw) => {
      const once = textOf(decode(bytesOf(decodeUnicodeEscapes(raw)), 'left') ?? '');
      const twice = bestFit(decodeUnicodeEscapes(textOf(decode(bytesOf(once), 'left') ?? '')));
      return resolve(withoutEndingSpaces(twice.replaceAll('\\', '/')));
    },
  },
  {
    id: 'nfkc',
    does: 'an application that normalises Unicode (NFKC) after decoding, and decodes again',
    read: (raw) => {
      const once = textOf(decode(bytesOf(raw), 'left') ?? '').normalize('NFKC');
      const twice = textOf(decode(bytesOf(once), 'left') ?? '').normalize('NFKC');
      return resolve(withoutParameters(twice.replaceAll('\\', '/')));
    },
  },
  {
    id: 'drops-controls',
    does: 'an application that drops control characters after decoding',
    read: (raw) =>
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is dropped.
      textOf(resolve((decode(bytesOf(raw), 'left') ?? '').replace(/[\0-\x1f\x7f]/g, ''))),
  },
  {
    id: 'c-string',
    does: 'an application for which a path ends at NUL or at a line break',
    read: (raw) => textOf(resolve((decode(bytesOf(raw), 'left') ?? '').split(/[\0\r\n]/, 1)[0] ?? '')),
  },
  {
    id: 'strips-once',
    does: 'an application that takes `../` out once',
    read: (raw) => textOf(resolve((decode(bytesOf(raw), 'left') ?? '').replaceAll('../', ''))),
  },
];

/** What paths are made of that are read in several ways, whole and in parts; for random ones. */
export const pathPieces: readonly string[] = [
  ...['/', '.', '..', '...', '%', '\\', ';', 'a', 'f', 'x', '2', '5', 'é', '．', '\t', '\n', ' ', '-'],
  ...['%2e', '%2F', '%25', '%5c', '%3B', '%00', '%09', '%7f', '%20', '%41', '%u002e', '%%32%65', '%252e'],
  ...[
    '%c0',
    '%C1',
    '%ae',
    '%af',
    '%e0',
    '%80',
    '%9c',
    '%f0',
    '%f4',
    '%f8',
    '%fc',
    '%ff',
    '%c3%a9',
    '%c3',
    '%a0',
  ],
  ...[
    '%ef',
    '%bc',
    '%BD',
    '%85',
    '%8e',
    '%8f',
    '%ef%bc%8e',
    '%ef%b9%92',
    '%e2%80%a4',
    '%e2%80%a5',
    '%ef%b8%b0',
  ],
  ...['%ef%bc%8f', '%EF%BC%BC', '%ef%b9%a8', '%e2%88%95', '%e2%88%96', '%e2%81%84', '%ef%bc%9b', '%cd%be'],
  ...['%ef%bc%85', '%ef%b9%aa', '%ef%bc%92', '%ef%bd%85', '%32', '%65'],
];

/** Readers that the guard does not cover, each with a path that it reads elsewhere, and why that is borne. */
export const remainingReaders: readonly (PathReader & { readonly path: string; readonly why: string })[] = [
  {
    id: 'code-page',
    does: 'Windows with a Japanese or Korean code page, where ¥ and ₩ stand for a backslash',
    path: '/public/x%c2%a5..%c2%a5..%c2%a5admin',
    read: (raw) => resolve(textOf(decode(bytesOf(raw), 'left') ?? '').replace(/[¥₩]/g, '/')),
    why: 'prices stand in paths, and such servers are few',
  },
  {
    id: 'invisible',
    does: 'an application that drops invisible characters (NFKC_Casefold)',
    path: '/public/%e2%80%8b../admin',
    read: (raw) =>
      resolve(textOf(decode(bytesOf(raw), 'left') ?? '').replace(/\p{Default_Ignorable_Code_Point}/gu, '')),
    why: 'there are 4,000 of them, and Persian and Indic words need some',
  },
  {
    id: 'utf-7',
    does: 'an application that reads UTF-7',
    path: '/public/+AC4ALg-/admin',
    read: (raw) => resolve(raw.replaceAll('+AC4ALg-', '..')),
    why: 'plus signs stand in paths, and no server reads paths so',
  },
  {
    id: 'three-dots',
    does: 'an application for which `...` is the folder above the folder above (Windows 98, NetWare)',
    path: '/public/.../admin',
    read: (raw) => resolve(raw.replaceAll('...', '../..')),
    why: 'a name of three dots is an ordinary one everywhere else',
  },
];
