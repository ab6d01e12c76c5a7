/** A request target split without any normalising: what the client wrote is what policy and application see. */
export interface RequestTarget {
  /** Present in absolute-form only. */
  readonly authority: string | undefined;
  readonly path: string;
}

const absolute = /^https?:\/\/([^/?#]+)([/?].*)?$/is;

/** Reads origin-form (`/path?query`), absolute-form (`http://host:port/path`) and `*` (RFC 9112 §3.2). */
export const readTarget = (text: string): RequestTarget | undefined => {
  if (text.startsWith('/') || text === '*') return { authority: undefined, path: text };
  const match = absolute.exec(text);
  if (match?.[1] === undefined || match[1].includes('@')) return undefined;
  const rest = match[2] ?? '/';
  return { authority: match[1], path: rest.startsWith('?') ? `/${rest}` : rest };
};
