/** What the bytes of a connection are so far. */
export type HelloProgress = 'more' | 'whole' | 'no-tls' | 'too-long';

/** The first octet of a record that carries handshake messages (RFC 8446 §5.1). No HTTP method begins with it. */
const handshakeRecord = 0x16;
/** The first octet of the message that opens a handshake (RFC 8446 §4). */
const clientHello = 0x01;
/** RFC 8446 §5.1: what a record holds at most. */
const maxRecord = 16_384;

/**
 * Follows a connection until a whole ClientHello has come, however it is cut into records and segments. Only lengths are
 * read, each byte once, and none is kept; what the message says is for OpenSSL to judge.
 */
export class ClientHelloReader {
  readonly #maxBytes: number;
  /** The octets so far of the header that is being read, a record's or the message's. */
  #header: number[] = [];
  #read = 0;
  /** What is left of the record; the message may go on in the next. */
  #inRecord = 0;
  /** What is left of the message; undefined until its header has been read. */
  #inMessage: number | undefined;
  #messageHeader: number[] = [];
  #progress: HelloProgress = 'more';

  /** `maxBytes` of records and message together. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reads on. What comes after the end, whatever the end was, changes nothing. */
  push(bytes: Uint8Array): HelloProgress {
    for (let at = 0; at < bytes.length && this.#progress === 'more'; ) {
      const read = this.#step(bytes, at);
      at += read;
      this.#read += read;
      if (this.#read > this.#maxBytes && this.#progress === 'more') this.#progress = 'too-long';
    }
    return this.#progress;
  }

  /** Reads an octet of a header, or skips what is there of the message; returns how many octets that were. */
  #step(bytes: Uint8Array, at: number): number {
    const octet = bytes[at] ?? 0;
    if (this.#inRecord === 0) {
      this.#header.push(octet);
      this.#progress = this.#readRecordHeader(this.#header);
      return 1;
    }
    if (this.#inMessage === undefined) {
      this.#inRecord -= 1;
      this.#messageHeader.push(octet);
      this.#progress = this.#readMessageHeader(this.#messageHeader);
      return 1;
    }
    const skipped = Math.min(bytes.length - at, this.#inRecord, this.#inMessage);
    this.#inRecord -= skipped;
    this.#inMessage -= skipped;
    if (this.#inMessage === 0) this.#progress = 'whole';
    return skipped;
  }

  #readRecordHeader([type, major, , high, low]: readonly number[]): HelloProgress {
    // A client that speaks no TLS is known by its first octet, and may wait for an answer before it sends more.
    if (type !== handshakeRecord || (major !== undefined && major !== 3)) return 'no-tls';
    if (high === undefined || low === undefined) return 'more';
    this.#header = [];
    this.#inRecord = (high << 8) | low;
    // Handshake messages are never cut into empty records (RFC 8446 §5.1).
    return this.#inRecord === 0 || this.#inRecord > maxRecord ? 'no-tls' : 'more';
  }

  #readMessageHeader([type, high, middle, low]: readonly number[]): HelloProgress {
    if (type !== clientHello) return 'no-tls';
    if (high === undefined || middle === undefined || low === undefined) return 'more';
    this.#inMessage = (high << 16) | (middle << 8) | low;
    if (this.#inMessage > this.#maxBytes) return 'too-long';
    return this.#inMessage === 0 ? 'no-tls' : 'more';
  }
}
