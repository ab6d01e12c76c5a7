import { basename, dirname, join } from 'node:path';
import type { Log } from '@gatehouse/platform/log/log';
import { addDamage, type Damage, noDamage } from '../../core/issued/line-audit.ts';
import type { Disk, DiskFile } from './disk.ts';
import { archiveName, archivesOf } from './issuance-archives.ts';
import { type IssuanceLine, printLine } from './issuance-line.ts';
import { scanFile } from './issuance-scan.ts';

export interface IssuanceFileOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From this size on, in bytes, the file is set aside and another begun; undefined = never. */
  readonly maxBytes: number | undefined;
  /** How many files set aside are kept; undefined = all. */
  readonly keepFiles: number | undefined;
  /** Called for each line that is there already, oldest first. */
  readonly onLine: (line: IssuanceLine) => void;
}

/** The lengths of disk blocks divide it or are it: what is written again after a failure begins at such a border. */
const blockBytes = 4096;

/** So much of what was set aside is read back at the start, to know the latest certificates: more than the ring holds. */
const readBackBytes = 16 * 1024 * 1024;

/**
 * The file of the issuance log on disk, line by line. `append` is all or nothing: it resolves when the lines would survive a
 * crash of the machine, and when it throws, what it left behind is never taken for more than lines that nobody was told of.
 *
 * After a failed write or fsync nothing that the kernel says of those bytes is believed: since Linux 4.13 an fsync error is
 * reported once, the pages count as clean from then on, and the next fsync succeeds without them (Rebello et al., "Can
 * Applications Recover from fsync Failures?", USENIX ATC 2020; PostgreSQL stops for it). We need not stop, as we know what
 * was vouched for: the file is opened again, cut to the last length that an fsync confirmed, and its last block is written
 * and synced again from memory before anything else.
 */
export class IssuanceFile {
  readonly #options: IssuanceFileOptions;
  #file: DiskFile | undefined;
  /** Of the file that `#length` and `#tail` tell of, open or not. */
  #id: string | undefined;
  /** Up to here the file holds lines that a sync has confirmed. */
  #length = 0;
  /** What the file holds from the last block border to `#length`. */
  #tail = Buffer.alloc(0);
  #next = 0;
  #damage: Damage = noDamage;
  /** Something failed since the last sync: see above. */
  #isDoubtful = false;
  #rotateAgainAt = 0;

  private constructor(options: IssuanceFileOptions) {
    this.#options = options;
  }

  /** Opens or makes the file and reads what it holds. Throws, without having changed it, if it is not ours. */
  static async open(options: IssuanceFileOptions): Promise<IssuanceFile> {
    const opened = new IssuanceFile(options);
    try {
      await opened.#readBack();
      await opened.#adopt();
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#length;
  }

  /** What was found wrong inside, in the files that were read. */
  get damage(): Damage {
    return this.#damage;
  }

  async append(lines: readonly IssuanceLine[]): Promise<void> {
    await this.#ready();
    const { maxBytes, now } = this.#options;
    if (maxBytes !== undefined && this.#length >= maxBytes && now() >= this.#rotateAgainAt) {
      await this.#rotate();
    }
    const file = this.#current();
    const text = lines.map((line, index) => printLine({ number: this.#next + index, line })).join('');
    const bytes = Buffer.from(text);
    try {
      await writeAll(file, bytes, this.#length);
      await file.datasync();
      // Lines in a file that was deleted under us are lost; in one that was renamed they are still there.
      const found = await this.#options.disk.facts(this.#options.path);
      if (found?.id !== this.#id && (await file.facts()).links === 0) throw new Error('the file was deleted');
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
    this.#grow(bytes);
    this.#next += lines.length;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Makes sure that the file is the one of that name, ends where we left it, and can be believed. */
  async #ready(): Promise<void> {
    const { disk, path, log } = this.#options;
    if (this.#isDoubtful || this.#file === undefined) return this.#fix();
    const found = await disk.facts(path);
    if (found === undefined || found.id !== this.#id) {
      if ((await this.#file.facts()).links === 0) this.#lost('the issuance log was deleted');
      else log.info({ file: path }, 'the issuance log was moved away: a new file is begun');
      await this.close();
      await this.#adopt();
    } else if (found.size !== this.#length) {
      await this.#lookAgain(this.#file, found.size);
    }
  }

  /** After a failure: see the class. */
  async #fix(): Promise<void> {
    this.#isDoubtful = true;
    // What close(2) has to report was doubtful already.
    await this.close().catch(() => undefined);
    const file = await this.#options.disk.open(this.#options.path);
    this.#file = file;
    const facts = await file?.facts();
    if (file === undefined || facts === undefined || facts.id !== this.#id) {
      await this.close();
      await this.#adopt();
    } else {
      if (facts.size < this.#length) await this.#lookAgain(file, facts.size);
      await file.truncate(this.#length);
      await writeAll(file, this.#tail, this.#length - this.#tail.length);
      await file.datasync();
    }
    this.#isDoubtful = false;
  }

  /** Another program changed the size of the file. */
  async #lookAgain(file: DiskFile, size: number): Promise<void> {
    const { path, log } = this.#options;
    const from = this.#length;
    if (size < from) {
      await this.#goOnFrom(file, size);
      this.#lost('the issuance log was cut', size);
      return;
    }
    let isOurs = false;
    const onLine = (): void => {
      isOurs = true;
    };
    const { keep, damage } = await scanFile(file, { from, onLine });
    if (isOurs) {
      throw new Error('another process writes it too, perhaps on another machine: each needs its own file');
    }
    await file.truncate(keep);
    await this.#goOnFrom(file, keep);
    log.warn({ file: path, at: from, bytes: size - from }, 'another program wrote into the issuance log');
    this.#damage = addDamage(this.#damage, damage);
  }

  /** Takes the file of that name for ours, or begins one. */
  async #adopt(): Promise<void> {
    const { disk, path, log, onLine } = this.#options;
    const file = await disk.open(path);
    if (file === undefined) return this.#begin();
    try {
      const { id, kind, size } = await file.facts();
      if (kind !== 'regular') throw new Error('it is not a regular file');
      if (size > 0) {
        const { next, keep, damage } = await scanFile(file, { onLine });
        if (next === undefined) throw new Error('nothing in it is from an issuance log: it is left as it is');
        if (keep < size) {
          log.info({ file: path, bytes: size - keep }, 'an unfinished line was cut off the issuance log');
          await file.truncate(keep);
          await file.datasync();
        }
        // It may have got its name from a process that died, or failed, before the folder was on disk.
        await disk.syncFolder(dirname(path));
        await this.#goOnFrom(file, keep);
        this.#next = next;
        this.#file = file;
        this.#id = id;
        this.#tell(damage, path);
        return;
      }
    } finally {
      if (this.#file === undefined) await file.close();
    }
    await this.#begin();
  }

  /** A new file gets its name when its first line is on disk, so that a file of that name is ours from its first byte. */
  async #begin(): Promise<void> {
    const { disk, path, now } = this.#options;
    const folder = dirname(path);
    const unnamed = join(folder, `.${basename(path)}.new`);
    await disk.remove(unnamed);
    const file = await disk.create(unnamed);
    const bytes = Buffer.from(printLine({ number: this.#next, line: { kind: 'begin', at: now() } }));
    try {
      await writeAll(file, bytes, 0);
      await file.datasync();
      await disk.rename(unnamed, path);
      await disk.syncFolder(folder);
      this.#id = (await file.facts()).id;
      this.#file = file;
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    this.#next += 1;
    this.#length = 0;
    this.#tail = Buffer.alloc(0);
    this.#grow(bytes);
  }

  /** Sets the file aside. If it cannot be renamed it goes on growing: that is better than to refuse certificates. */
  async #rotate(): Promise<void> {
    const { disk, path, log, now, keepFiles } = this.#options;
    const folder = dirname(path);
    const aside = join(folder, archiveName(basename(path), now()));
    try {
      // Twice in a millisecond, or after the clock was set back: rename(2) would replace the other.
      if ((await disk.facts(aside)) !== undefined) throw new Error(`${aside} exists`);
      await disk.rename(path, aside);
    } catch (err) {
      this.#rotateAgainAt = now() + 60_000;
      log.error({ err, file: path }, 'the issuance log cannot be set aside and grows on');
      return;
    }
    await this.close();
    await this.#begin();
    log.info({ file: path, aside }, 'the issuance log was set aside and started again');
    if (keepFiles === undefined) return;
    try {
      const all = archivesOf(basename(path), await disk.list(folder));
      for (const name of all.slice(0, -keepFiles)) await disk.remove(join(folder, name));
    } catch (err) {
      log.error({ err, file: path }, 'old files of the issuance log cannot be removed');
    }
  }

  /** The latest of what was set aside, so that a restart after a rotation forgets nothing. */
  async #readBack(): Promise<void> {
    const { disk, path, onLine } = this.#options;
    const folder = dirname(path);
    let bytes = (await disk.facts(path))?.size ?? 0;
    const paths: string[] = [];
    for (const name of archivesOf(basename(path), await disk.list(folder)).toReversed()) {
      if (bytes >= readBackBytes) break;
      const archive = join(folder, name);
      bytes += (await disk.facts(archive))?.size ?? 0;
      paths.unshift(archive);
    }
    for (const archive of paths) {
      const file = await disk.open(archive);
      if (file === undefined) continue;
      try {
        const { next, damage } = await scanFile(file, { onLine });
        this.#next = next ?? this.#next;
        this.#tell(damage, archive);
      } finally {
        await file.close();
      }
    }
  }

  #tell(damage: Damage, file: string): void {
    this.#damage = addDamage(this.#damage, damage);
    if (damage.lines === 0) return;
    this.#options.log.error(
      { file, lines: damage.lines, firstAt: damage.firstAt },
      'the issuance log is damaged: lines are unreadable or missing; those around them are kept',
    );
  }

  #lost(what: string, firstAt = 0): void {
    this.#options.log.error(
      { file: this.#options.path, firstAt },
      `${what}: what was recorded there is lost`,
    );
    this.#damage = addDamage(this.#damage, { lines: 1, firstAt });
  }

  async #goOnFrom(file: DiskFile, length: number): Promise<void> {
    const tail = Buffer.alloc(length % blockBytes);
    const from = length - tail.length;
    for (let at = 0; at < tail.length; ) {
      const count = await file.read(tail.subarray(at), from + at);
      if (count === 0) throw new Error('it became shorter while it was read');
      at += count;
    }
    this.#tail = tail;
    this.#length = length;
  }

  #grow(bytes: Uint8Array): void {
    this.#length += bytes.length;
    const both = Buffer.concat([this.#tail, bytes]);
    this.#tail = Buffer.from(both.subarray(both.length - (this.#length % blockBytes)));
  }

  #current(): DiskFile {
    if (this.#file === undefined) throw new Error('the file is not open');
    return this.#file;
  }
}

const writeAll = async (file: DiskFile, bytes: Uint8Array, position: number): Promise<void> => {
  for (let at = 0; at < bytes.length; ) {
    const count = await file.write(bytes.subarray(at), position + at);
    // write(2) returns 0 for nothing but an empty buffer; a file system that does otherwise would keep us here forever.
    if (count === 0) throw new Error('nothing was written');
    at += count;
  }
};
