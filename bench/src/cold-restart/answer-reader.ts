import { endStream, FrameReader, frameType } from '@gatehouse/testing/raw-http2';

/** Follows the answer to the one call of a connection, on stream 1. */
export class AnswerReader {
  readonly #frames = new FrameReader();
  #dataBytes = 0;

  /** Undefined while it goes on; then whether it ended with a message of at least `atLeast` bytes. */
  push(chunk: Buffer, atLeast: number): boolean | undefined {
    for (const { type, flags, stream, payload } of this.#frames.push(chunk)) {
      if (type === frameType.goAway || type === frameType.reset) return false;
      if (stream !== 1) continue;
      if (type === frameType.data) this.#dataBytes += payload.length;
      if ((flags & endStream) !== 0) return this.#dataBytes >= atLeast;
    }
    return undefined;
  }
}
