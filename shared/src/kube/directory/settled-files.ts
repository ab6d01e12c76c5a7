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
  /** Since when the file has been missing; believed only after the quiet time, as editors write by deleting first. */
  readonly missingSince?: number;
}

export interface Settled {
  readonly ready: readonly string[];
  readonly gone: readonly string[];
  /** Files that are there and not yet quiet. */
  readonly pending: readonly string[];
  /** When something pending may be settled; undefined when nothing is pending. */
  readonly wakeAt: number | undefined;
}

const isSame = (a: Stamp, b: Stamp): boolean =>
  a.file === b.file && a.size === b.size && a.mtimeNs === b.mtimeNs;

/**
 * A rename touches a file's ctime and not its mtime, while a write touches both: another file under a name, with a ctime
 * beyond its mtime, was made elsewhere and renamed in, so it is complete. When in doubt it waits like all others.
 */
const isRenamedIn = (before: Watched | undefined, stamp: Stamp): boolean =>
  before?.stamp.file !== stamp.file && stamp.ctimeNs > stamp.mtimeNs;

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

  /** Takes in one walk through the folder. What it answers as ready counts as read, unless `again` is said. */
  observe(found: ReadonlyMap<string, Stamp>, now: number): Settled {
    const moved = this.#takeMoves(found);
    const ready: string[] = [];
    const pending: string[] = [];
    let wakeAt: number | undefined;
    const wait = (since: number): void => {
      wakeAt = Math.min(wakeAt ?? Number.POSITIVE_INFINITY, since + this.#quietMs);
    };
    for (const [path, stamp] of found) {
      const before = this.#files.get(path) ?? moved.get(path);
      const same = before !== undefined && isSame(before.stamp, stamp);
      const since = same ? before.since : now;
      const read = same && before.read && this.#files.has(path);
      const complete = now - since >= this.#quietMs || (!this.#first && isRenamedIn(before, stamp));
      if (!read && complete) ready.push(path);
      else if (!read) {
        pending.push(path);
        wait(since);
      }
      this.#files.set(path, { stamp, since, read: read || complete });
    }
    const gone = this.#missing(found, { now, ready, wait });
    this.#first = false;
    return { ready, gone, pending, wakeAt };
  }

  /** What was answered as ready changed while it was read: it has to be quiet anew. */
  again(path: string, now: number): void {
    const file = this.#files.get(path);
    if (file !== undefined) this.#files.set(path, { stamp: file.stamp, since: now, read: false });
  }

  /** For each new path, what was known of the same file under a path that is no more. */
  #takeMoves(found: ReadonlyMap<string, Stamp>): ReadonlyMap<string, Watched> {
    const left = new Map<string, Watched>();
    for (const [path, file] of this.#files) if (!found.has(path)) left.set(file.stamp.file, file);
    const moved = new Map<string, Watched>();
    for (const [path, { file }] of found) {
      const before = left.get(file);
      if (!this.#files.has(path) && before !== undefined) moved.set(path, before);
    }
    return moved;
  }

  #missing(
    found: ReadonlyMap<string, Stamp>,
    {
      now,
      ready,
      wait,
    }: { readonly now: number; readonly ready: readonly string[]; readonly wait: (since: number) => void },
  ): readonly string[] {
    const moved = new Set(ready.map((path) => found.get(path)?.file));
    const gone: string[] = [];
    for (const [path, file] of this.#files) {
      if (found.has(path)) continue;
      const missingSince = file.missingSince ?? now;
      // Read under its new name in the same breath, or its objects would be there twice or not at all.
      if (moved.has(file.stamp.file) || now - missingSince >= this.#quietMs) {
        gone.push(path);
        this.#files.delete(path);
      } else {
        this.#files.set(path, { ...file, missingSince });
        wait(missingSince);
      }
    }
    return gone;
  }
}
