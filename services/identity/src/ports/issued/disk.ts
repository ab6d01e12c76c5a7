/** What a file is told from others by, as stat(2) has it. */
export interface FileFacts {
  /** Device and inode: a file keeps it when it is renamed, and another file of the same name has another. */
  readonly id: string;
  readonly kind: 'regular' | 'other';
  /** In bytes. */
  readonly size: number;
  /** How many names it has; 0 once it was deleted. */
  readonly links: number;
}

/** An open file. Failures are thrown as Node has them, with `code` such as ENOSPC. */
export interface DiskFile {
  facts(): Promise<FileFacts>;
  /** Up to `into.length` bytes from `position`; answers how many there were, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Returns how many bytes were taken, which may be fewer than given (write(2)). */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  /** What was written, and the length, survive a crash of the machine from now on (fdatasync(2)). */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** What the issuance log needs of a file system: the real one, or one that fails where a test says. */
export interface Disk {
  /** Undefined where there is none. */
  open(path: string): Promise<DiskFile | undefined>;
  /** A new file that only its owner reads; throws EEXIST where the name is taken. */
  create(path: string): Promise<DiskFile>;
  /** Undefined where there is none. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** Replaces what has the new name (rename(2)). */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** The names in a folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Names made, changed and removed in the folder survive a crash of the machine from now on. */
  syncFolder(folder: string): Promise<void>;
  /** Keeps other processes on this machine from using the file; throws `already-exists` if one does. Returns how to let go. */
  lock(path: string): Promise<() => Promise<void>>;
}
