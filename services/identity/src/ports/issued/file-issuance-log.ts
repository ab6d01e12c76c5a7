import { GatehouseError } from '@gatehouse/core/error';
import { limitedLog } from '@gatehouse/platform/log/limited-log';
import type { Log } from '@gatehouse/platform/log/log';
import type { IssuanceLog } from '../../certify/recorded-leaf.ts';
import type { IssuanceQuery } from '../../core/issued/issuance-query.ts';
import type { IssuanceIntent, IssuanceRecord } from '../../core/issued/issuance-record.ts';
import type { Damage } from '../../core/issued/line-audit.ts';
import type { Disk } from './disk.ts';
import { IssuanceFile } from './issuance-file.ts';
import type { IssuanceLine } from './issuance-line.ts';
import { Issued, type OnSuspicious } from './issued.ts';
import { realDisk } from './real-disk.ts';

export interface FileIssuanceLogOptions {
  readonly path: string;
  readonly log: Log;
  /** The real one when left out. */
  readonly disk?: Disk;
  /** Milliseconds since the epoch. Default: the clock of the machine. */
  readonly now?: () => number;
  readonly onSuspicious?: OnSuspicious;
  /** From this size on, in bytes, the file is set aside and another begun. Default: never. */
  readonly maxBytes?: number | undefined;
  /** How many files set aside are kept. Default: all. */
  readonly keepFiles?: number | undefined;
  /** How long the hash of a certificate waits for an intent to be flushed with, in milliseconds. */
  readonly lingerMs?: number;
  /** How often a file that failed is tried while nobody asks for certificates, in milliseconds. */
  readonly retryMs?: number;
  /** Told how long each write and flush took, in seconds. */
  readonly onFlush?: (seconds: number) => void;
}

interface Waiting {
  readonly record: IssuanceRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Why nothing can be recorded at the moment. */
export interface IssuanceFailure {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Such as ENOSPC. */
  readonly why: string;
  /** Certificates that were refused since. */
  readonly refused: number;
}

/**
 * The issuance log on disk. An intent is acknowledged when the machine may crash; what arrives while the disk is busy
 * shares the next flush, and the hashes of certificates signed meanwhile ride with it.
 */
export class FileIssuanceLog implements IssuanceLog {
  readonly path: string;
  readonly #options: FileIssuanceLogOptions;
  readonly #now: () => number;
  readonly #issued: Issued;
  readonly #file: IssuanceFile;
  readonly #unlock: () => Promise<void>;
  readonly #sayFailed: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  #waiting: Waiting[] = [];
  #signed: IssuanceLine[] = [];
  #failure: IssuanceFailure | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(options: FileIssuanceLogOptions, opened: Opened) {
    this.path = options.path;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#issued = opened.issued;
    this.#file = opened.file;
    this.#unlock = opened.unlock;
    this.#sayFailed = limitedLog((fields, message) => options.log.error(fields, message));
  }

  /** Opens or makes the file, and remembers the latest of what it holds. Throws `failed-precondition` if it cannot be used. */
  static async open(options: FileIssuanceLogOptions): Promise<FileIssuanceLog> {
    const { path, disk = realDisk, now = Date.now, log, maxBytes, keepFiles } = options;
    const issued = new Issued(options.onSuspicious ?? (() => {}));
    let unlock: (() => Promise<void>) | undefined;
    try {
      unlock = await disk.lock(path);
      const onLine = (line: IssuanceLine): void => recall(issued, line);
      const file = await IssuanceFile.open({ disk, path, log, now, maxBytes, keepFiles, onLine });
      return new FileIssuanceLog(options, { issued, file, unlock });
    } catch (cause) {
      await unlock?.();
      if (cause instanceof GatehouseError) throw cause;
      throw new GatehouseError(
        'failed-precondition',
        `the issuance log ${path} cannot be used (${reasonOf(cause)}): correct GATEHOUSE_ISSUANCE_LOG, or what is there`,
        { cause },
      );
    }
  }

  /** Undefined while everything is recorded. */
  get failure(): IssuanceFailure | undefined {
    return this.#failure;
  }

  /** What was found wrong inside the file. */
  get damage(): Damage {
    return this.#file.damage;
  }

  get bytes(): number {
    return this.#file.bytes;
  }

  intend(intent: IssuanceIntent): Promise<void> {
    if (this.#isClosed) return Promise.reject(refusal('it is closed'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ record: this.#issued.judge(intent), resolve, reject });
    this.#write();
    return promise;
  }

  complete(serial: string, leafSha256: string): void {
    this.#issued.complete(serial, leafSha256);
    this.#signed.push({ kind: 'signed', serial, leafSha256 });
    this.#writeIn(this.#options.lingerMs ?? 1_000);
  }

  /** What another replica has issued. It is not written to the file. */
  learn(record: IssuanceRecord): void {
    this.#issued.learn(record);
  }

  /** Newest first. */
  find(query: IssuanceQuery): Generator<IssuanceRecord> {
    return this.#issued.find(query);
  }

  /** See Issued. */
  knownSince(startedAt: number): number {
    return this.#issued.knownSince(startedAt);
  }

  /** Resolves when everything so far is on disk, if that can be, and the file is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    if (this.#signed.length > 0) await this.#writeBatch();
    clearTimeout(this.#timer);
    try {
      await this.#file.close();
    } finally {
      await this.#unlock();
    }
  }

  #writeIn(delayMs: number): void {
    if (this.#isClosed || this.#writing !== undefined) return;
    this.#timer ??= setTimeout(() => this.#write(), delayMs).unref();
  }

  #write(): void {
    if (this.#writing !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writeAll();
  }

  /** Writes until nobody waits. Says that it is over in the same step in which it finds nobody: who comes later starts again. */
  async #writeAll(): Promise<void> {
    do await this.#writeBatch();
    while (this.#waiting.length > 0);
    this.#writing = undefined;
    if (this.#failure !== undefined) this.#writeIn(this.#options.retryMs ?? 5_000);
    else if (this.#signed.length > 0) this.#writeIn(this.#options.lingerMs ?? 1_000);
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#waiting;
    const signed = this.#signed;
    this.#waiting = [];
    this.#signed = [];
    const failure = this.#failure;
    const began = performance.now();
    try {
      await this.#file.append([
        ...(failure === undefined ? [] : [this.#resumed(failure)]),
        ...signed,
        ...batch.map(({ record }): IssuanceLine => ({ kind: 'intent', record })),
      ]);
    } catch (cause) {
      // Of what was acknowledged: it rides with a later flush.
      this.#signed = [...signed, ...this.#signed];
      this.#fail(batch, cause);
      return;
    }
    this.#options.onFlush?.((performance.now() - began) / 1_000);
    if (failure !== undefined) {
      this.#failure = undefined;
      this.#options.log.info(
        { file: this.path, refused: failure.refused },
        'the issuance log is written again',
      );
    }
    for (const { record, resolve } of batch) {
      this.#issued.add(record);
      resolve();
    }
  }

  #resumed({ since, refused, why }: IssuanceFailure): IssuanceLine {
    return { kind: 'resumed', at: this.#now(), failedSince: since, refused, why };
  }

  #fail(batch: readonly Waiting[], cause: unknown): void {
    const { since = this.#now(), refused = 0 } = this.#failure ?? {};
    const why = reasonOf(cause);
    this.#failure = { since, why, refused: refused + batch.length };
    this.#sayFailed(
      { err: cause, file: this.path, refused: this.#failure.refused },
      'the issuance log cannot be written: no certificate is signed until it can',
    );
    for (const { reject } of batch) reject(refusal(why, cause));
  }
}

interface Opened {
  readonly issued: Issued;
  readonly file: IssuanceFile;
  readonly unlock: () => Promise<void>;
}

const recall = (issued: Issued, line: IssuanceLine): void => {
  switch (line.kind) {
    case 'intent':
      issued.remember(line.record);
      break;
    case 'signed':
      issued.complete(line.serial, line.leafSha256);
      break;
    case 'begin':
    case 'resumed':
      break;
  }
};

const refusal = (why: string, cause?: unknown): GatehouseError =>
  new GatehouseError(
    'unavailable',
    `the certificate cannot be recorded and was not signed (${why}): try again`,
    cause === undefined ? {} : { cause },
  );

const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
};
