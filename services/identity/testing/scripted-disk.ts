import { basename, dirname } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import type { Disk, DiskFile, FileFacts } from '../src/ports/issued/disk.ts';

/** What a scripted disk does wrong, in the order of its operations. */
export interface DiskScript {
  /** The process dies when so many bytes have been written in all: the write that reaches it is short, nothing comes after. */
  readonly diesAfterBytes?: number;
  /** The process dies instead of the operation of this number, counted from 0. */
  readonly diesAtOperation?: number;
  /** The disk is full when so many bytes have been written in all; `freeSpace` helps. */
  readonly fullAfterBytes?: number;
  /** The syncs that fail with EIO, counted from 0. What was to be synced is dropped, and the next sync says that all is well. */
  readonly failingSyncs?: ReadonlySet<number>;
  /** A failed sync leaves zeros where it was to write, on the platter and in the cache: sectors that hold older lines too. */
  readonly failingSyncsTear?: boolean;
  /** Each write takes at most so many bytes. */
  readonly shortWrites?: number;
}

/** A disk page; far smaller than real ones, so that a line lies on several and may be torn between any two. */
const pageBytes = 64;

/** Random decisions of a crash: `nat(n)` is from 0 to n, both included. */
export interface Chance {
  nat(max: number): number;
}

interface Inode {
  readonly id: string;
  /** What programs see. */
  cached: Buffer;
  /** What the platter holds. */
  durable: Buffer;
  /** Pages whose cached content is to be written by the next sync; after a failed one they count as clean. */
  readonly dirty: Set<number>;
  /** The lengths that the file had since the last sync; a crash may leave any of them. */
  lengths: number[];
  links: number;
}

/** Names that change in one step; without inode the name is gone. */
type FolderChange = readonly (readonly [name: string, inode: Inode | undefined])[];

/** The process is dead: what waits for an answer waits forever. */
const forever = new Promise<never>(() => {});

/**
 * A file system in memory with what real ones do badly: short writes, no space, an fsync that fails once and then claims
 * success (as Linux's does), and crashes after which each page that was not synced is old, new or torn, the length is any
 * of the recent ones, and names are as they were at any recent moment.
 */
export class ScriptedDisk implements Disk {
  readonly #script: DiskScript;
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  readonly #changes: FolderChange[] = [];
  readonly #locks = new Set<string>();
  #written = 0;
  #room: number;
  #syncs = 0;
  #operations = 0;
  #inodes = 0;
  #isDead = false;
  readonly died = Promise.withResolvers<void>();

  constructor(script: DiskScript = {}) {
    this.#script = script;
    this.#room = script.fullAfterBytes ?? Number.POSITIVE_INFINITY;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Bytes written in all. */
  get written(): number {
    return this.#written;
  }

  get syncs(): number {
    return this.#syncs;
  }

  /** Everything that was asked of it. */
  get operations(): number {
    return this.#operations;
  }

  freeSpace(bytes = Number.POSITIVE_INFINITY): void {
    this.#room = bytes;
  }

  /** What is in the file, as programs see it. */
  content(path: string): Buffer {
    return Buffer.from(this.#names.get(path)?.cached ?? []);
  }

  /** What of it would survive whatever happens. */
  durable(path: string): Buffer {
    return Buffer.from(this.#durableNames.get(path)?.durable ?? []);
  }

  /** Puts a file there, durably; for what somebody else does. */
  put(path: string, content: Uint8Array): void {
    const inode = this.#newInode();
    inode.cached = Buffer.from(content);
    inode.durable = Buffer.from(content);
    inode.lengths = [content.length];
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** The disk after `kill -9`: the kernel lives and with it everything that was written. */
  afterKill(script: DiskScript = {}): ScriptedDisk {
    return this.#reborn(script, this.#names, ({ cached }) => Buffer.from(cached));
  }

  /** The disk after a crash of the machine. */
  afterCrash(chance: Chance, script: DiskScript = {}): ScriptedDisk {
    const names = new Map(this.#durableNames);
    for (const change of this.#changes.slice(0, chance.nat(this.#changes.length))) apply(change, names);
    return this.#reborn(script, names, (inode) => crashed(inode, chance));
  }

  async open(path: string): Promise<DiskFile | undefined> {
    await this.#alive();
    const inode = this.#names.get(path);
    return inode && this.#file(inode);
  }

  async create(path: string): Promise<DiskFile> {
    await this.#alive();
    if (this.#names.has(path)) throw failure('EEXIST');
    const inode = this.#newInode();
    this.#change([[path, inode]]);
    return this.#file(inode);
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    await this.#alive();
    const inode = this.#names.get(path);
    return inode && factsOf(inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#alive();
    const inode = this.#names.get(from);
    if (inode === undefined) throw failure('ENOENT');
    this.#change([
      [to, inode],
      [from, undefined],
    ]);
  }

  async remove(path: string): Promise<void> {
    await this.#alive();
    if (this.#names.has(path)) this.#change([[path, undefined]]);
  }

  async list(folder: string): Promise<readonly string[]> {
    await this.#alive();
    return [...this.#names.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path));
  }

  async syncFolder(): Promise<void> {
    await this.#alive();
    this.#countSync();
    for (const change of this.#changes.splice(0)) apply(change, this.#durableNames);
  }

  async lock(path: string): Promise<() => Promise<void>> {
    if (this.#locks.has(path)) throw new GatehouseError('already-exists', 'another process has it');
    this.#locks.add(path);
    return async () => void this.#locks.delete(path);
  }

  #file(inode: Inode): DiskFile {
    return {
      facts: async () => {
        await this.#alive();
        return factsOf(inode);
      },
      read: async (into, position) => {
        await this.#alive();
        const found = inode.cached.subarray(position, position + into.length);
        into.set(found);
        return found.length;
      },
      write: async (bytes, position) => {
        await this.#alive();
        return this.#write(inode, bytes, position);
      },
      truncate: async (length) => {
        await this.#alive();
        resize(inode, length);
      },
      datasync: async () => {
        await this.#alive();
        this.#sync(inode);
      },
      close: () => this.#alive(),
    };
  }

  async #write(inode: Inode, bytes: Uint8Array, position: number): Promise<number> {
    const left = (this.#script.diesAfterBytes ?? Number.POSITIVE_INFINITY) - this.#written;
    const count = Math.min(bytes.length, left, this.#room, this.#script.shortWrites ?? bytes.length);
    if (count > 0) {
      if (inode.cached.length < position + count) resize(inode, position + count);
      inode.cached.set(bytes.subarray(0, count), position);
      for (let at = position; at < position + count; at += 1) inode.dirty.add(Math.floor(at / pageBytes));
    }
    this.#written += count;
    this.#room -= count;
    if (this.#written >= (this.#script.diesAfterBytes ?? Number.POSITIVE_INFINITY)) {
      this.#die();
      return forever;
    }
    if (count === 0) throw failure('ENOSPC');
    return count;
  }

  #sync(inode: Inode): void {
    const dirty = [...inode.dirty];
    inode.dirty.clear();
    try {
      this.#countSync();
    } catch (error) {
      if (this.#script.failingSyncsTear === true) for (const page of dirty) tear(inode, page);
      throw error;
    }
    const durable = Buffer.alloc(inode.cached.length);
    inode.durable.copy(durable);
    for (const page of dirty) copyPage(inode.cached, durable, page);
    inode.durable = durable;
    inode.lengths = [inode.cached.length];
  }

  #countSync(): void {
    this.#syncs += 1;
    if (this.#script.failingSyncs?.has(this.#syncs - 1)) throw failure('EIO');
  }

  #alive(): Promise<void> {
    if (this.#operations === this.#script.diesAtOperation) this.#die();
    this.#operations += 1;
    return this.#isDead ? forever : Promise.resolve();
  }

  #die(): void {
    this.#isDead = true;
    this.died.resolve();
  }

  #newInode(): Inode {
    this.#inodes += 1;
    const empty = Buffer.alloc(0);
    return {
      id: `1-${this.#inodes}`,
      cached: empty,
      durable: empty,
      dirty: new Set(),
      lengths: [0],
      links: 1,
    };
  }

  #change(change: FolderChange): void {
    const before = new Set(this.#names.values());
    apply(change, this.#names);
    this.#changes.push(change);
    const named = [...this.#names.values()];
    for (const inode of before) inode.links = named.filter((one) => one === inode).length;
  }

  #reborn(
    script: DiskScript,
    names: ReadonlyMap<string, Inode>,
    contentOf: (inode: Inode) => Buffer,
  ): ScriptedDisk {
    const disk = new ScriptedDisk(script);
    for (const [name, inode] of names) disk.put(name, contentOf(inode));
    return disk;
  }
}

const apply = (change: FolderChange, names: Map<string, Inode>): void => {
  for (const [name, inode] of change) {
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
};

const resize = (inode: Inode, length: number): void => {
  const before = inode.cached.length;
  const resized = Buffer.alloc(length);
  inode.cached.copy(resized);
  inode.cached = resized;
  inode.lengths.push(length);
  // What is cut off is zero when the file grows again, and the rest of the last page is written as such.
  for (let page = Math.floor(Math.min(before, length) / pageBytes); page * pageBytes < length; page += 1) {
    inode.dirty.add(page);
  }
};

const copyPage = (from: Buffer, to: Buffer, page: number, bytes = pageBytes): void => {
  const begin = page * pageBytes;
  if (begin >= from.length) return;
  from.copy(to, begin, begin, Math.min(begin + bytes, from.length, to.length));
};

const tear = ({ cached, durable }: Inode, page: number): void => {
  for (const content of [cached, durable]) content.fill(0, page * pageBytes, (page + 1) * pageBytes);
};

/** Each page is old, new, or new up to some byte; what neither has is zero. */
const crashed = (inode: Inode, chance: Chance): Buffer => {
  const { lengths, durable, cached } = inode;
  const content = Buffer.alloc(lengths[chance.nat(lengths.length - 1)] ?? 0);
  durable.copy(content);
  for (let page = 0; page * pageBytes < content.length; page += 1) {
    if (inode.dirty.has(page)) copyPage(cached, content, page, chance.nat(pageBytes));
  }
  return content;
};

const factsOf = ({ id, cached, links }: Inode): FileFacts => ({
  id,
  kind: 'regular',
  size: cached.length,
  links,
});

const failure = (code: string): Error => Object.assign(new Error(`${code}: as scripted`), { code });
