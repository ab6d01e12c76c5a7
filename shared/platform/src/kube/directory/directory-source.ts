import { join, resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { defaultObjectBudgets, type ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import type { Log } from '../../log/log.ts';
import { FolderWatch } from '../../state/folder-watch.ts';
import type { KindHealth, Source } from '../source.ts';
import { diffWorlds, resetTo } from './diff-objects.ts';
import { composeWorld, type World } from './folder-objects.ts';
import { FolderState } from './folder-state.ts';
import { readManifestFile } from './read-manifest.ts';
import { SaidOnce } from './said-once.ts';
import { type Listing, scanFolder } from './scan-folder.ts';

export interface DirectorySourceOptions {
  readonly path: string;
  readonly controlPlaneNamespace: string;
  readonly log: Log;
  /** How long a file's size and mtime must not change before it is read; milliseconds. */
  readonly quietMs?: number;
  /** How often to look without having been woken; milliseconds. */
  readonly pollMs?: number;
  /** At the start, how long to wait for files that are written all the time; milliseconds. */
  readonly patienceMs?: number;
  /** What one object may hold. Default: the usual. */
  readonly budgets?: ObjectBudgets;
}

type Settings = Required<DirectorySourceOptions>;

/**
 * A folder of Kubernetes manifests as a cluster (design §5.1): the embedded default, and what tests of policies use.
 * What it delivers depends on nothing but the folder's content, so that every process comes to the same.
 */
export class DirectorySource implements Source {
  readonly #settings: Settings;
  #run: Run | undefined;

  constructor({
    path,
    quietMs = 50,
    pollMs = 2_000,
    patienceMs = 5_000,
    budgets = defaultObjectBudgets,
    ...rest
  }: DirectorySourceOptions) {
    this.#settings = { path: resolve(path), quietMs, pollMs, patienceMs, budgets, ...rest };
  }

  /** Rejects when there is no such folder, or it cannot be read, at the start; later its last state stays in force. */
  async run(
    kinds: readonly Kind[],
    deliver: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#run !== undefined && !this.#run.ended) {
      throw new GatehouseError('failed-precondition', 'this directory source runs already: make another one');
    }
    this.#run = new Run(this.#settings, kinds, deliver);
    await this.#run.until(signal);
  }

  health(): readonly KindHealth[] {
    return this.#run?.health() ?? [];
  }
}

/** One run, from the first walk through the folder to the abort. */
class Run {
  readonly #settings: Settings;
  readonly #kinds: readonly Kind[];
  readonly #deliver: (changes: readonly Change[]) => void;
  readonly #folder: FolderState;
  readonly #said: SaidOnce;
  readonly #startedAt = performance.now();
  #world: World | undefined;
  #aliveAt: number | undefined;
  #isThere = true;
  ended = false;

  constructor(settings: Settings, kinds: readonly Kind[], deliver: (changes: readonly Change[]) => void) {
    this.#settings = settings;
    this.#kinds = kinds;
    this.#deliver = deliver;
    this.#said = new SaidOnce(settings.log, kinds);
    this.#folder = new FolderState({
      ...settings,
      read: (path) => readManifestFile(join(settings.path, path)),
    });
  }

  health(): readonly KindHealth[] {
    const synced = this.#world !== undefined;
    const staleMs = this.#aliveAt === undefined ? undefined : performance.now() - this.#aliveAt;
    return this.#kinds.map((kind) => ({ kind, synced, staleMs }));
  }

  async until(signal: AbortSignal): Promise<void> {
    const { log, pollMs } = this.#settings;
    const watch = new FolderWatch((directory, err) =>
      log.warn({ err }, `cannot watch ${directory}: changes in it are found by looking every ${pollMs} ms`),
    );
    try {
      while (!signal.aborted) {
        const listing = await this.#scan();
        watch.follow(listing?.directories ?? new Map());
        const wakeAt = listing === undefined ? undefined : await this.#take(listing, signal);
        const waitMs = wakeAt === undefined ? pollMs : Math.min(pollMs, wakeAt - performance.now());
        await watch.wait(waitMs, signal);
      }
    } finally {
      watch.close();
      this.ended = true;
    }
  }

  /** Walks the folder; undefined when it is gone for now. */
  async #scan(): Promise<Listing | undefined> {
    const { path, log } = this.#settings;
    const scan = await scanFolder(path);
    if (scan.kind === 'listing') {
      if (!this.#isThere) log.info({ path }, `the folder ${path} is back`);
      this.#isThere = true;
      this.#aliveAt = performance.now();
      return scan;
    }
    const found =
      scan.kind === 'missing'
        ? `there is no folder ${path}`
        : `cannot read the folder ${path}: ${scan.found}`;
    if (this.#world === undefined) {
      throw new GatehouseError(
        'failed-precondition',
        `${found}; GATEHOUSE_SOURCE=directory:PATH names the folder of manifests`,
      );
    }
    if (this.#isThere) log.warn({ path }, `${found}: what it held last stays in force until it is back`);
    this.#isThere = false;
    return undefined;
  }

  /** Takes in one walk; answers when to walk again at the latest. */
  async #take(listing: Listing, signal: AbortSignal): Promise<number | undefined> {
    const now = performance.now();
    const { changed, pending, wakeAt } = await this.#folder.take(listing, now);
    if (signal.aborted) return undefined;
    this.#said.links(listing.ignoredLinks);
    if (this.#world !== undefined) {
      if (changed) this.#publish();
    } else if (pending.length === 0) this.#publish();
    else if (now - this.#startedAt >= this.#settings.patienceMs) {
      this.#folder.giveUpOn(pending);
      this.#publish();
    }
    return wakeAt;
  }

  #publish(): void {
    const before = this.#world;
    const world = composeWorld(this.#folder.manifests, this.#settings.controlPlaneNamespace);
    const changes =
      before === undefined ? resetTo(world, this.#kinds) : diffWorlds(before, world, this.#kinds);
    this.#world = world;
    this.#said.foreign(world.foreign);
    this.#said.foreignKinds(world.foreignKinds);
    this.#said.warnings(world.warnings);
    if (changes.length > 0) this.#deliver(changes);
  }
}
