import { frameMessage } from '@gatehouse/platform/grpc/message-frames';

/**
 * HTTP/2 (RFC 9113) and HPACK (RFC 7541) written by hand, as much as it takes to make gRPC calls: for clients that must cost
 * less than what they measure, and for those that do what no library would let them.
 */
export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
/** RFC 9113 §6.9.2: so much may be sent before the server has said more. */
export const initialWindow = 65_535;
export const endStream = 0x1;
/** On SETTINGS and PING the same bit means an acknowledgement. */
export const acknowledged = 0x1;
const endHeaders = 0x4;

export const frameBytes = (type: number, flags: number, stream: number, payload: Uint8Array): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

/** What a client says first: the preface, and SETTINGS that change nothing. */
export const clientPreface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frameBytes(frameType.settings, 0, 0, Buffer.alloc(0)),
]);

/** A string literal (RFC 7541 §5.2) without Huffman's code; its length an integer with a prefix of seven bits (§5.1). */
const literal = (text: string): Buffer => {
  const length: number[] = [Math.min(text.length, 127)];
  if (text.length >= 127) {
    let rest = text.length - 127;
    for (; rest >= 128; rest >>= 7) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text)]);
};

export interface RawCall {
  /** Odd, and higher than any before it on the connection. */
  readonly stream: number;
  readonly path: string;
  /** Further headers, each sent as it is. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: none comes, and the call stays open. */
  readonly message?: Uint8Array;
}

/** The headers of a call, and its message with the end of the request. */
export const callBytes = ({ stream, path, headers = {}, message }: RawCall): Buffer => {
  const block = Buffer.concat([
    // :method POST and :scheme http from the static table, then names of it with literal values.
    Buffer.of(0x83, 0x86, 0x04),
    literal(path),
    Buffer.of(0x01),
    literal('identity'),
    Buffer.of(0x0f, 0x10),
    literal('application/grpc'),
    Buffer.of(0x00),
    literal('te'),
    literal('trailers'),
    ...Object.entries(headers).flatMap(([name, value]) => [Buffer.of(0x00), literal(name), literal(value)]),
  ]);
  return Buffer.concat([
    frameBytes(frameType.headers, endHeaders, stream, block),
    ...(message === undefined ? [] : [frameBytes(frameType.data, endStream, stream, frameMessage(message))]),
  ]);
};

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Cuts received bytes into frames. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): RawFrame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: RawFrame[] = [];
    let at = 0;
    while (this.#pending.length >= at + 9) {
      const length = this.#pending.readUIntBE(at, 3);
      const end = at + 9 + length;
      if (this.#pending.length < end) break;
      frames.push({
        type: this.#pending.readUInt8(at + 3),
        flags: this.#pending.readUInt8(at + 4),
        stream: this.#pending.readUInt32BE(at + 5),
        payload: this.#pending.subarray(at + 9, end),
      });
      at = end;
    }
    this.#pending = this.#pending.subarray(at);
    return frames;
  }
}
