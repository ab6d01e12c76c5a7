import { isUtf8 } from 'node:buffer';

/** A request target split without any normalising: what the client wrote is what policy and application see. */
export interface RequestTarget {
  /** Present in absolute-form only. */
  readonly authority: string | undefined;
  readonly path: string;
}

/** The bytes that the proxy's URI type takes in a path and in a query (the `http` crate 1.4, tried byte by byte). */
const pathBytes = /^\/[!"$-;=@-_a-\xff]*$/;
const queryBytes = /^[!$-;=?-\xff]*$/;

/**
 * The path and query that the proxy goes by and passes on. Its URI type drops a fragment, so that no application sees what
 * policy did not, and refuses bytes that stand in no URI. `text` has a character for each byte, as node:http gives it.
 */
export const readPath = (text: string): string | undefined => {
  if (text === '*') return text;
  const [whole = ''] = text.split('#', 1);
  const [path = ''] = whole.split('?', 1);
  const isTaken = pathBytes.test(path) && queryBytes.test(whole.slice(path.length));
  return isTaken && isUtf8(Buffer.from(whole, 'latin1')) ? whole : undefined;
};

/** A path as policies write it: the proxy reads its bytes as UTF-8. */
export const asText = (path: string): string => Buffer.from(path, 'latin1').toString('utf8');

const absolute = /^https?:\/\/([^/?#]+)(.*)$/is;

/** Reads origin-form (`/path?query`), absolute-form (`http://host:port/path`) and `*` (RFC 9112 §3.2). */
export const readTarget = (text: string): RequestTarget | undefined => {
  const [, authority, rest = text] = absolute.exec(text) ?? [];
  if (authority?.includes('@')) return undefined;
  const path = readPath(authority === undefined || rest.startsWith('/') ? rest : `/${rest}`);
  return path === undefined ? undefined : { authority, path };
};
