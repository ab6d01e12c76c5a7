import type { Damage } from '../../core/issued/line-audit.ts';
import { LineAudit } from '../../core/issued/line-audit.ts';
import type { DiskFile } from './disk.ts';
import { type IssuanceLine, isWhole, readLine } from './issuance-line.ts';

/** What a file of the issuance log holds. */
export interface Scanned {
  readonly size: number;
  /** Up to where it is to be kept; what follows was being written when the process or the machine died. */
  readonly keep: number;
  /** The number of the next line; undefined if not a single line is ours. */
  readonly next: number | undefined;
  readonly damage: Damage;
}

/** Thrown for lines with a right checksum that this version does not know: another version wrote them, and may again. */
export class UnknownVersion extends Error {}

const chunkBytes = 1024 * 1024;
/** Ours are shorter than 2 KiB: a name of 253 bytes, a pod of 253, hashes. */
const longestLine = 64 * 1024;
const lineEnd = 0x0a;

/**
 * Reads a file from `from` (0 when left out), where line `next` should stand, and gives every whole line to `onLine`. A line
 * that is not whole is passed over wherever it stands: what comes after it is still good.
 */
export const scanFile = async (
  file: DiskFile,
  { from = 0, next, onLine }: { from?: number; next?: number; onLine: (line: IssuanceLine) => void },
): Promise<Scanned> => {
  const audit = new LineAudit(next);
  const { size } = await file.facts();
  const buffer = new Uint8Array(Math.max(0, Math.min(chunkBytes, size - from)));
  let rest = new Uint8Array();
  let restAt = from;
  /** After the last whole line, and what unreadable lines follow it. */
  let end = from;
  let keep = from;
  let hasZeros = false;

  const take = (line: Uint8Array, at: number): void => {
    if (!isWhole(line)) {
      audit.unreadable(at);
      hasZeros ||= line.includes(0);
      if (!hasZeros) keep = at + line.length + 1;
      return;
    }
    const found = readLine(line);
    if (found === 'unknown') throw new UnknownVersion(`its line at byte ${at} is of another version`);
    if (end === 0 && found.line.kind !== 'begin') audit.lacksBeginning(at);
    audit.whole(found.number, at);
    onLine(found.line);
    end = at + line.length + 1;
    keep = end;
    hasZeros = false;
  };

  for (let position = from; position < size; ) {
    const count = await file.read(buffer.subarray(0, size - position), position);
    if (count === 0) break;
    position += count;
    const bytes = Buffer.concat([rest, buffer.subarray(0, count)]);
    let begin = 0;
    for (let at = bytes.indexOf(lineEnd); at !== -1; at = bytes.indexOf(lineEnd, begin)) {
      take(bytes.subarray(begin, at), restAt + begin);
      begin = at + 1;
    }
    restAt += begin;
    rest = new Uint8Array(bytes.subarray(begin));
    if (rest.length > longestLine && restAt + rest.length < size) {
      // Not ours; go on looking for a line end without keeping it all.
      audit.unreadable(restAt);
      restAt += rest.length;
      rest = new Uint8Array();
    }
  }
  // Zeros are pages whose data never reached the disk although the length did (a crash of the machine).
  if (hasZeros || rest.includes(0)) {
    audit.forgetUnreadableEnd();
    keep = end;
  }
  return { size, keep, next: audit.next, damage: audit.damage };
};
