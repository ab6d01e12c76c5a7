/** What the first bytes of a connection say about its protocol; `more` asks to be called again with more bytes. */
export type DetectedProtocol = 'http1' | 'http2' | 'not-http' | 'more';

/** RFC 9113 §3.4: what every HTTP/2 client sends first. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Longer request lines are refused by the HTTP/1 server, so nothing longer is worth waiting for. */
const longestRequestLine = 8 * 1024;
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [\x21-\xff]+ HTTP\/1\.[01]\r?$/;
const tokenThenSpace = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{0,32}(?: |$)/;

/**
 * Tells HTTP/2 by its preface and HTTP/1 by a whole request line. Anything else is not HTTP, and known to be so as
 * early as the method cannot be one, so that raw protocols do not wait for a line end that never comes.
 */
export const detectHttp = (bytes: Buffer): DetectedProtocol => {
  if (bytes.length === 0) return 'more';
  const seen = bytes.subarray(0, preface.length);
  if (seen.equals(preface.subarray(0, seen.length))) return seen.length === preface.length ? 'http2' : 'more';
  const lineEnd = bytes.indexOf(0x0a);
  if (lineEnd >= 0) return requestLine.test(bytes.toString('latin1', 0, lineEnd)) ? 'http1' : 'not-http';
  const plausible =
    bytes.length <= longestRequestLine && tokenThenSpace.test(bytes.toString('latin1', 0, 64));
  return plausible ? 'more' : 'not-http';
};
