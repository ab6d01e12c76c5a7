import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { GatehouseError } from '@gatehouse/shared/error';
import type { Log } from '@gatehouse/shared/log';
import { Compile } from 'typebox/compile';
import type { IssuanceQuery } from '../core/issuance-query.ts';
import type { IssuanceIntent, IssuanceRecord } from '../core/issuance-record.ts';
import type { IssuanceLog } from '../recorded-leaf.ts';
import { IssuanceItem, printItem, readItem } from './issuance-item.ts';
import { Issued, type OnSuspicious, ringSize } from './issued.ts';

/** The issuance log without a file: what was issued since the start, as far as it fits. */
export class MemoryIssuanceLog implements IssuanceLog {
  readonly #issued: Issued;

  constructor(onSuspicious: OnSuspicious = () => {}) {
    this.#issued = new Issued(onSuspicious);
  }

  intend(intent: IssuanceIntent): void {
    this.#issued.add(this.#issued.judge(intent));
  }

  complete(serial: string, leafSha256: string): void {
    this.#issued.complete(serial, leafSha256);
  }

  /** Newest first. */
  find(query: IssuanceQuery): Generator<IssuanceRecord> {
    return this.#issued.find(query);
  }
}

/** Certificates and hashes only, but who runs where: not for everybody to read. */
const mode = 0o600;

/** Not O_APPEND: what a failed write left behind is overwritten. */
const flags = constants.O_RDWR | constants.O_CREAT;

/** Enough for the ring; a longer file is not read from its beginning. */
const tailBytes = 16 * 1024 * 1024;

interface Waiting {
  readonly record: IssuanceRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One JSON object a line, appended and flushed to disk before the certificate leaves: a certificate that a workload holds
 * is in the file. What arrives while the disk is busy shares the next flush.
 */
export class FileIssuanceLog implements IssuanceLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #log: Log;
  readonly #issued: Issued;
  /** The length up to which the file holds whole, acknowledged lines. */
  #length: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  private constructor(
    path: string,
    file: FileHandle,
    { length, log, onSuspicious }: { length: number; log: Log; onSuspicious: OnSuspicious },
  ) {
    this.#path = path;
    this.#file = file;
    this.#length = length;
    this.#log = log;
    this.#issued = new Issued(onSuspicious);
  }

  /** Opens or makes the file, and remembers the latest of what it holds. Throws `failed-precondition` if it cannot be used. */
  static async open(path: string, log: Log, onSuspicious: OnSuspicious = () => {}): Promise<FileIssuanceLog> {
    let file: FileHandle | undefined;
    try {
      file = await open(path, flags, mode);
      const { length, records } = await readTail(file);
      // What follows the last line end was being written when the process died, so nobody was given its certificate.
      await file.truncate(length);
      const opened = new FileIssuanceLog(path, file, { length, log, onSuspicious });
      for (const record of records) opened.#issued.remember(record);
      return opened;
    } catch (cause) {
      await file?.close();
      const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new GatehouseError(
        'failed-precondition',
        `the issuance log ${path} cannot be used (${code}): correct GATEHOUSE_ISSUANCE_LOG`,
        { cause },
      );
    }
  }

  intend(intent: IssuanceIntent): Promise<void> {
    const record = this.#issued.judge(intent);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ record, resolve, reject });
    this.#writing ??= this.#write();
    return promise;
  }

  complete(serial: string, leafSha256: string): void {
    this.#issued.complete(serial, leafSha256);
  }

  /** Newest first. */
  find(query: IssuanceQuery): Generator<IssuanceRecord> {
    return this.#issued.find(query);
  }

  /** Resolves when everything appended so far is on disk and the file is closed. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  /** Writes until nobody waits. Says that it is over in the same step in which it finds nobody: who comes later begins anew. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#writeBatch(batch);
    }
    this.#writing = undefined;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const bytes = Buffer.from(batch.map(({ record }) => `${JSON.stringify(printItem(record))}\n`).join(''));
    try {
      await this.#flush(bytes);
    } catch (cause) {
      this.#log.error({ err: cause, file: this.#path }, 'the issuance log cannot be written');
      const error = new GatehouseError(
        'unavailable',
        'the certificate could not be recorded and was not signed: try again',
        { cause },
      );
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { record, resolve } of batch) {
      this.#issued.add(record);
      resolve();
    }
  }

  async #flush(bytes: Buffer): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#length + at);
        at += bytesWritten;
      }
      await this.#file.datasync();
      this.#length += bytes.length;
    } catch (error) {
      // The rest of a line must not become the beginning of the next; should this fail too, the next write overwrites it.
      await this.#file.truncate(this.#length).catch(() => undefined);
      throw error;
    }
  }
}

/** The length of the whole lines, and the records of the last of them. */
const readTail = async (
  file: FileHandle,
): Promise<{ readonly length: number; readonly records: readonly IssuanceRecord[] }> => {
  const { size } = await file.stat();
  const from = Math.max(0, size - tailBytes);
  const bytes = Buffer.alloc(size - from);
  await file.read(bytes, 0, bytes.length, from);
  const end = bytes.lastIndexOf(0x0a) + 1;
  // A file of which not even one line end is in reach is not ours to cut.
  if (end === 0 && from > 0) throw new Error('it does not consist of lines');
  const lines = bytes.toString('utf8', 0, end).split('\n');
  const records = lines.slice(-ringSize).map(readLine);
  return { length: from + end, records: records.filter((record) => record !== undefined) };
};

const validator = Compile(IssuanceItem);

/** Undefined for a line that is no such item. */
const readLine = (line: string): IssuanceRecord | undefined => {
  try {
    const item: unknown = JSON.parse(line);
    return validator.Check(item) ? readItem(item) : undefined;
  } catch {
    return undefined;
  }
};
