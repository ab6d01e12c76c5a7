/** What tells whether a file was touched. */
export interface Stamp {
  /** Device and inode: another one is another file under the same name. */
  readonly file: string;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

interface Watched {
  readonly stamp: Stamp;
  /** Since when the stamp has been the same, in milliseconds of the caller's clock. */
  readonly since: number;
  /** Whether what the stamp stands for has been read. */
  readonly read: boolean;
  /** Since when the file has been missing; believed only after the quiet time, as some editors save by deleting first. */
  readonly missingSince?: number;
}

export interface Settled {
  /** Files to read now. */
  readonly ready: readonly string[];
  /** Files that are no more. */
  readonly gone: readonly string[];
  /** Files that are there and not yet quiet. */
  readonly pending: readonly string[];
  /** When something that is pending or missing may be settled; undefined when nothing is. */
  readonly wakeAt: number | undefined;
}

const sameContent = (a: Stamp, b: Stamp): boolean =>
  a.file === b.file && a.size === b.size && a.mtimeNs === b.mtimeNs;

/**
 * A rename touches a file's ctime and not its mtime, while a write touches both: another file under a name, not empty
 * and with a ctime beyond its mtime, was made elsewhere and renamed in, so it is complete. In doubt it waits like others.
 */
const isRenamedIn = (before: Watched | undefined, stamp: Stamp): boolean =>
  before?.stamp.file !== stamp.file && stamp.size > 0n && stamp.ctimeNs > stamp.mtimeNs;

/**
 * Decides when a file is complete: when its size and mtime have not changed for the quiet time, or when it was renamed
 * in. Knows no clock and no disk, only what it is told.
 */
export class SettledFiles {
  readonly #quietMs: number;
  readonly #files = new Map<string, Watched>();
  #first = true;

  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  /**
   * Takes in one walk through the folder. What it answers as ready counts as read, unless `again` is said.
   * `isHidden` tells the paths that nobody could look for, so that they do not count as missing.
   */
  observe(
    found: ReadonlyMap<string, Stamp>,
    now: number,
    isHidden: (path: string) => boolean = () => false,
  ): Settled {
    const moved = this.#findMoves(found);
    const ready: string[] = [];
    const pending: string[] = [];
    for (const [path, stamp] of found) {
      const here = this.#files.get(path);
      const before = here ?? moved.get(path);
      const same = before !== undefined && sameContent(before.stamp, stamp);
      // A ctime of its own is a reason to read again, since tools can set an old mtime after a write.
      const read = same && here?.read === true && here.stamp.ctimeNs === stamp.ctimeNs;
      const since = same ? before.since : now;
      const complete = now - since >= this.#quietMs || (!this.#first && isRenamedIn(before, stamp));
      if (!read) (complete ? ready : pending).push(path);
      this.#files.set(path, { stamp, since, read: read || complete });
    }
    const settledElsewhere = new Set(ready.map((path) => found.get(path)?.file));
    const gone = this.#forgetMissing(now, (path, file) => {
      if (found.has(path) || isHidden(path)) return 'there';
      return settledElsewhere.has(file) ? 'moved' : 'missing';
    });
    this.#first = false;
    return { ready, gone, pending, wakeAt: this.#wakeAt(pending, found) };
  }

  /** What was answered as ready, or read long ago, has to be quiet again and then read. */
  again(path: string, now: number): void {
    const file = this.#files.get(path);
    if (file !== undefined) this.#files.set(path, { stamp: file.stamp, since: now, read: false });
  }

  /** For each new path, what was known of the same file under a path that is no more. */
  #findMoves(found: ReadonlyMap<string, Stamp>): ReadonlyMap<string, Watched> {
    const left = new Map<string, Watched>();
    for (const [path, file] of this.#files) if (!found.has(path)) left.set(file.stamp.file, file);
    const moved = new Map<string, Watched>();
    for (const [path, { file }] of found) {
      const before = left.get(file);
      if (before !== undefined) moved.set(path, before);
    }
    return moved;
  }

  #forgetMissing(
    now: number,
    whereabouts: (path: string, file: string) => 'there' | 'moved' | 'missing',
  ): readonly string[] {
    const gone: string[] = [];
    for (const [path, file] of this.#files) {
      const where = whereabouts(path, file.stamp.file);
      if (where === 'there') continue;
      const missingSince = file.missingSince ?? now;
      // Read under its new name in the same breath, or its objects would be there twice, or not at all.
      if (where === 'moved' || now - missingSince >= this.#quietMs) {
        gone.push(path);
        this.#files.delete(path);
      } else this.#files.set(path, { ...file, missingSince });
    }
    return gone;
  }

  #wakeAt(pending: readonly string[], found: ReadonlyMap<string, Stamp>): number | undefined {
    const times = pending.map((path) => this.#files.get(path)?.since);
    for (const [path, { missingSince }] of this.#files) if (!found.has(path)) times.push(missingSince);
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known) + this.#quietMs;
  }
}
