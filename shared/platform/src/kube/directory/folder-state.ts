import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '@gatehouse/core/problem';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { breakManifest, type Manifest, parseManifest } from './manifest.ts';
import { MovedObjects } from './moved-objects.ts';
import type { FileRead } from './read-manifest.ts';
import type { Listing } from './scan-folder.ts';
import { SettledFiles } from './settled-files.ts';

export interface Taken {
  /** Whether any manifest is another than before. */
  readonly changed: boolean;
  /** Files that are not quiet yet. */
  readonly pending: readonly string[];
  /** When to walk again at the latest, in milliseconds of the caller's clock; undefined when nothing is under way. */
  readonly wakeAt: number | undefined;
}

export interface FolderStateOptions {
  /** How long a file must not have changed before it is believed. */
  readonly quietMs: number;
  readonly read: (path: string) => Promise<FileRead>;
  /** What one object may hold. Default: the usual. */
  readonly budgets?: ObjectBudgets;
}

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`);

/**
 * The manifests of a folder, kept true by one walk after the other. It knows when to believe a file (SettledFiles) and
 * what to remember of one that it cannot read; the disk and the clock are the caller's.
 */
export class FolderState {
  readonly #settled: SettledFiles;
  readonly #read: (path: string) => Promise<FileRead>;
  readonly #budgets: ObjectBudgets | undefined;
  readonly #manifests = new Map<string, Manifest>();
  readonly #moved = new MovedObjects();
  /** Paths that are no more, and leave as soon as everything that came with them is read. */
  readonly #leaving = new Set<string>();
  #closed: ReadonlySet<string> = new Set();

  constructor({ quietMs, read, budgets }: FolderStateOptions) {
    this.#settled = new SettledFiles(quietMs);
    this.#read = read;
    this.#budgets = budgets;
  }

  get manifests(): readonly Manifest[] {
    return this.#moved.addTo([...this.#manifests.values()]);
  }

  /** Takes in one walk and reads what has become complete. */
  async take({ files, closed }: Listing, now: number): Promise<Taken> {
    const before = new Map(this.#manifests);
    this.#close(closed, now);
    const directories = [...closed.keys()];
    const { ready, gone, pending, wakeAt } = this.#settled.observe(files, now, (path) =>
      directories.some((directory) => isBelow(path, directory)),
    );
    for (const path of gone) this.#leaving.add(path);
    const unsteady: string[] = [];
    for (const path of ready) {
      this.#leaving.delete(path);
      if (!(await this.#refresh(path))) unsteady.push(path);
    }
    for (const path of unsteady) this.#settled.again(path, now);
    if (unsteady.length === 0) {
      for (const path of this.#leaving) this.#manifests.delete(path);
      this.#leaving.clear();
    }
    const underWay = [...pending, ...unsteady];
    this.#moved.take([...this.#manifests.values()], underWay.length === 0);
    return {
      changed: !isSameMap(before, this.#manifests),
      pending: underWay,
      wakeAt: unsteady.length === 0 ? wakeAt : now,
    };
  }

  /** Gives up waiting for files that are written all the time: what they hold counts as unreadable until they rest. */
  giveUpOn(paths: readonly string[]): void {
    for (const path of paths) {
      this.#break(path, { field: '', found: 'it is being written all the time', fix: 'let it rest' });
    }
  }

  async #refresh(path: string): Promise<boolean> {
    const read = await this.#read(path);
    switch (read.kind) {
      case 'changed':
        return false;
      case 'failed':
        this.#break(path, read.problem);
        return true;
      case 'bytes':
        this.#manifests.set(
          path,
          parseManifest(path, this.#manifests.get(path), { bytes: read.bytes, budgets: this.#budgets }),
        );
        return true;
    }
  }

  /** What is below a path that cannot be read stays as it was, broken; a path below which nothing is known is itself unreadable. */
  #close(closed: ReadonlyMap<string, Problem>, now: number): void {
    for (const blocked of this.#closed) if (!closed.has(blocked)) this.#manifests.delete(blocked);
    const paths = new Set<string>();
    for (const [blocked, problem] of closed) {
      const below = [...this.#manifests.keys()].filter(
        (path) => isBelow(path, blocked) && !this.#closed.has(path),
      );
      for (const path of below) {
        this.#break(path, problem);
        this.#settled.again(path, now);
      }
      if (below.length > 0) continue;
      this.#break(blocked, problem);
      paths.add(blocked);
    }
    this.#closed = paths;
  }

  #break(path: string, problem: Problem): void {
    const broken = breakManifest(path, this.#manifests.get(path), { problems: [problem] });
    if (!isDeepStrictEqual(broken.state, this.#manifests.get(path)?.state)) this.#manifests.set(path, broken);
  }
}

const isSameMap = (a: ReadonlyMap<string, Manifest>, b: ReadonlyMap<string, Manifest>): boolean =>
  a.size === b.size && [...a].every(([path, manifest]) => b.get(path) === manifest);
