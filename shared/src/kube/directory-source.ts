import { resolve } from 'node:path';
import { GatehouseError } from '../error.ts';
import type { Log } from '../log.ts';
import type { Change, KindHealth, Source } from './changes.ts';
import { diffWorlds, resetTo } from './directory/diff-worlds.ts';
import { FolderWatch } from './directory/folder-watch.ts';
import { ManifestStore } from './directory/manifest-store.ts';
import { type Listing, scanFolder } from './directory/scan-folder.ts';
import { SettledFiles } from './directory/settled-files.ts';
import { composeWorld, type Warning, type World } from './directory/world.ts';
import type { Kind } from './kinds.ts';

export interface DirectorySourceOptions {
  readonly path: string;
  readonly controlPlaneNamespace: string;
  readonly log: Log;
  /** How long a file's size and mtime must not change before it is read; milliseconds. */
  readonly quietMs?: number;
  /** How often to look without having been woken; milliseconds. */
  readonly pollMs?: number;
}

/** At the start, a file that somebody keeps writing to is not waited for any longer than this. */
const startPatienceMs = 5_000;

/**
 * A folder of Kubernetes manifests as a cluster (design §5.1): the embedded default, and what tests of policies use.
 * What it delivers depends on nothing but the folder's content, so that every process comes to the same.
 */
export class DirectorySource implements Source {
  readonly #options: Required<DirectorySourceOptions>;
  #running = false;
  #kinds: readonly Kind[] = [];
  #synced = false;
  #aliveAt = 0;

  constructor({ path, quietMs = 50, pollMs = 2_000, ...options }: DirectorySourceOptions) {
    this.#options = { path: resolve(path), quietMs, pollMs, ...options };
  }

  async run(
    kinds: readonly Kind[],
    deliver: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#running)
      throw new GatehouseError('failed-precondition', 'this directory source is already running');
    this.#running = true;
    this.#kinds = kinds;
    this.#synced = false;
    try {
      await new Run(this.#options, {
        kinds,
        deliver: (changes) => {
          deliver(changes);
          this.#synced = true;
        },
        alive: () => {
          this.#aliveAt = Date.now();
        },
      }).until(signal);
    } finally {
      this.#running = false;
    }
  }

  health(): readonly KindHealth[] {
    return this.#kinds.map((kind) => ({ kind, synced: this.#synced, aliveAt: this.#aliveAt }));
  }
}

interface Listener {
  readonly kinds: readonly Kind[];
  readonly deliver: (changes: readonly Change[]) => void;
  readonly alive: () => void;
}

/** One run from the first walk to the abort. */
class Run {
  readonly #options: Required<DirectorySourceOptions>;
  readonly #listener: Listener;
  readonly #store: ManifestStore;
  readonly #settled: SettledFiles;
  #world: World | undefined;
  #said: ReadonlySet<string> = new Set();
  #startedAt = performance.now();

  constructor(options: Required<DirectorySourceOptions>, listener: Listener) {
    this.#options = options;
    this.#listener = listener;
    this.#store = new ManifestStore(options.path);
    this.#settled = new SettledFiles(options.quietMs);
  }

  async until(signal: AbortSignal): Promise<void> {
    const { path, log, pollMs } = this.#options;
    let present = true;
    const watch = new FolderWatch((directory, error) =>
      log.warn(
        { directory, err: error },
        `cannot watch ${directory}, so changes are found by looking every ${pollMs} ms`,
      ),
    );
    try {
      while (!signal.aborted) {
        const listing = await this.#scan();
        let waitMs = pollMs;
        if (listing === undefined) {
          if (present)
            log.warn(
              { path },
              `the folder ${path} is gone; what it held last stays in force until it is back`,
            );
          present = false;
          watch.close();
        } else {
          if (!present) log.info({ path }, `the folder ${path} is back`);
          present = true;
          watch.follow(listing.directories);
          const wakeAt = await this.#take(listing);
          this.#listener.alive();
          if (wakeAt !== undefined) waitMs = Math.max(1, Math.min(pollMs, wakeAt - performance.now()));
        }
        await watch.wait(waitMs, signal);
      }
    } finally {
      watch.close();
    }
  }

  async #scan(): Promise<Listing | undefined> {
    const { path } = this.#options;
    const listing = await scanFolder(path);
    if (listing === undefined && this.#world === undefined) {
      throw new GatehouseError(
        'failed-precondition',
        `there is no folder ${path}: make it, or set GATEHOUSE_SOURCE=directory:PATH to the folder of manifests`,
      );
    }
    return listing;
  }

  /** Takes in one walk; answers when to look again at the latest. */
  async #take(listing: Listing): Promise<number | undefined> {
    const now = performance.now();
    const { ready, gone, pending, wakeAt } = this.#settled.observe(listing.files, now);
    for (const path of gone) this.#store.forget(path);
    for (const path of ready) {
      if (!(await this.#store.read(path))) this.#settled.again(path, now);
    }
    if (this.#world !== undefined || pending.length === 0) {
      if (ready.length > 0 || gone.length > 0 || this.#world === undefined) this.#publish();
    } else if (now - this.#startedAt > startPatienceMs) this.#publish();
    return wakeAt;
  }

  #publish(): void {
    const { kinds, deliver } = this.#listener;
    const world = composeWorld(this.#store.manifests, this.#options.controlPlaneNamespace);
    const changes = this.#world === undefined ? resetTo(world, kinds) : diffWorlds(this.#world, world, kinds);
    this.#world = world;
    this.#warn(world.warnings);
    if (changes.length > 0) deliver(changes);
  }

  /** Says each warning once, for as long as its cause lasts. */
  #warn(warnings: readonly Warning[]): void {
    const { log } = this.#options;
    const said = new Set<string>();
    for (const { path, kind, text } of warnings) {
      if (kind !== undefined && !this.#listener.kinds.includes(kind)) continue;
      const line = path === '' ? text : `${path}: ${text}`;
      if (!this.#said.has(line) && !said.has(line)) log.warn({ manifest: path }, line);
      said.add(line);
    }
    this.#said = said;
  }
}
