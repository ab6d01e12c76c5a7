import { GatehouseError } from '@gatehouse/core/error';

const lineFeed = 0x0a;

/**
 * Cuts a stream of bytes into lines. It looks at bytes, not at text: no character of UTF-8 has a line feed inside
 * (RFC 3629 §3), so that a character split between two chunks is whole again in its line. Throws `unavailable` when the
 * stream ends in the middle of a line, since half an event is none.
 */
export async function* completeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[]> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      begun.push(chunk.subarray(start, end));
      const line = begun.length === 1 ? (begun[0] ?? chunk) : Buffer.concat(begun);
      if (line.length > 0) lines.push(line);
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (begun.length > 0) throw new GatehouseError('unavailable', 'the stream ended in the middle of a line');
}
