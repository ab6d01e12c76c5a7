import { frameMessage } from '@gatehouse/platform/grpc/message-frames';

/** The bytes of one unary gRPC call over HTTP/2 (RFC 9113), written by hand: thousands of clients share one process, and must cost less than what they measure. */
const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

const frameType = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7 } as const;
const endStream = 0x1;
const endHeaders = 0x4;

/** A string literal of HPACK (RFC 7541 §5.2) of fewer than 127 bytes, without Huffman's code. */
const literal = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);

export const unaryCallBytes = (path: string, message: Uint8Array): Buffer => {
  const headers = Buffer.concat([
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
  ]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(frameType.settings, 0, 0, Buffer.alloc(0)),
    frame(frameType.headers, endHeaders, 1, headers),
    frame(frameType.data, endStream, 1, frameMessage(message)),
  ]);
};

/** Follows the answer to that call. */
export class AnswerReader {
  #pending: Buffer = Buffer.alloc(0);
  #dataBytes = 0;

  /** Undefined while it goes on; then whether it ended with a message of at least `atLeast` bytes. */
  push(chunk: Buffer, atLeast: number): boolean | undefined {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 9) {
      const length = this.#pending.readUIntBE(0, 3);
      if (this.#pending.length < 9 + length) return undefined;
      const [type, flags, stream] = [
        this.#pending.readUInt8(3),
        this.#pending.readUInt8(4),
        this.#pending.readUInt32BE(5),
      ];
      this.#pending = this.#pending.subarray(9 + length);
      if (type === frameType.goAway || type === frameType.reset) return false;
      if (stream !== 1) continue;
      if (type === frameType.data) this.#dataBytes += length;
      if ((flags & endStream) !== 0) return this.#dataBytes >= atLeast;
    }
    return undefined;
  }
}
