/**
 * Whether the first bytes of a connection open TLS, and for whom. The proxy ends TLS only when the ClientHello names
 * this workload in its SNI (contract/proxy.md §3.5), so it must look before it decides.
 */
export type FirstBytes =
  | { readonly kind: 'more' }
  | { readonly kind: 'not-tls' }
  /** `serverName` is lower-cased; undefined when the client sent no SNI, or a hello we cannot read. */
  | { readonly kind: 'tls'; readonly serverName: string | undefined };

const handshakeRecord = 0x16;
const clientHello = 1;
const serverNameExtension = 0;
const hostNameType = 0;
/** The hello must fit one record of at most this many bytes; a longer one is passed through as opaque TLS. */
const largestHello = 8 * 1024;

const unreadable: FirstBytes = { kind: 'tls', serverName: undefined };

/** Reads big-endian lengths and values, and answers undefined instead of reading past the end. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(width: 1 | 2 | 3): number | undefined {
    const bytes = this.take(width);
    return bytes?.reduce((value, byte) => value * 256 + byte, 0);
  }

  take(length: number): Uint8Array | undefined {
    if (this.#at + length > this.#bytes.length) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A value preceded by its length in `width` bytes. */
  vector(width: 1 | 2 | 3): Cursor | undefined {
    const length = this.number(width);
    const bytes = length === undefined ? undefined : this.take(length);
    return bytes && new Cursor(bytes);
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}

/** RFC 6066 §3: a list of names, of which only the type host_name is defined. */
const readServerName = (extension: Cursor): string | undefined => {
  const names = extension.vector(2);
  if (names?.number(1) !== hostNameType) return undefined;
  const name = names.vector(2)?.rest();
  return name && Buffer.from(name).toString('latin1').toLowerCase();
};

/** RFC 8446 §4.1.2: legacy version and random, then session id, cipher suites, compression and the extensions. */
const readHello = (hello: Cursor): string | undefined => {
  if (!hello.take(34) || !hello.vector(1) || !hello.vector(2) || !hello.vector(1)) return undefined;
  const extensions = hello.vector(2);
  while (extensions && !extensions.done) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    if (body === undefined) return undefined;
    if (type === serverNameExtension) return readServerName(body);
  }
  return undefined;
};

/** Looks at what a client has sent so far; `more` asks to be called again with more bytes. */
export const readFirstBytes = (bytes: Uint8Array): FirstBytes => {
  if (bytes.length === 0) return { kind: 'more' };
  if (bytes[0] !== handshakeRecord) return { kind: 'not-tls' };
  const record = new Cursor(bytes.subarray(1));
  const version = record.number(2);
  if (version !== undefined && version >> 8 !== 3) return { kind: 'not-tls' };
  const length = record.number(2);
  if (length === undefined) return { kind: 'more' };
  if (length > largestHello) return unreadable;
  const handshake = record.take(length);
  if (handshake === undefined) return { kind: 'more' };
  const message = new Cursor(handshake);
  if (message.number(1) !== clientHello) return unreadable;
  const hello = message.vector(3);
  return hello ? { kind: 'tls', serverName: readHello(hello) } : unreadable;
};
