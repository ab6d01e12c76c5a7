import { GatehouseError } from '@gatehouse/core/error';

/** gRPC's five octets before a message: not compressed, and its length. */
export const frameMessage = (message: Uint8Array): Buffer => {
  const framed = Buffer.allocUnsafe(5 + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
};

/** Cuts received bytes into messages, wherever HTTP/2 has cut them before. */
export class MessageReader {
  readonly #maxBytes: number;
  #pending: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that are complete now. Throws on one that is compressed or larger than allowed. */
  push(chunk: Buffer): Buffer[] {
    this.#pending.push(chunk);
    this.#size += chunk.length;
    const messages: Buffer[] = [];
    for (
      let length = this.#nextLength();
      length !== undefined && this.#size >= 5 + length;
      length = this.#nextLength()
    ) {
      const whole = Buffer.concat(this.#pending);
      messages.push(whole.subarray(5, 5 + length));
      this.#pending = whole.length > 5 + length ? [whole.subarray(5 + length)] : [];
      this.#size = whole.length - 5 - length;
    }
    return messages;
  }

  #nextLength(): number | undefined {
    if (this.#size < 5) return undefined;
    if ((this.#pending[0]?.length ?? 0) < 5) this.#pending = [Buffer.concat(this.#pending)];
    const [head] = this.#pending;
    if (head === undefined) return undefined;
    if (head.readUInt8(0) !== 0)
      throw new GatehouseError('unimplemented', 'the server sent a compressed message');
    const length = head.readUInt32BE(1);
    if (length > this.#maxBytes) {
      throw new GatehouseError(
        'resource-exhausted',
        `the server sent a message of ${length} bytes, above the limit of ${this.#maxBytes}`,
      );
    }
    return length;
  }
}
