import process from 'node:process';

export type ServerSaid =
  | { readonly kind: 'serving'; readonly url: string }
  | { readonly kind: 'changed'; readonly tookMs: number };

/** So many changes of pods a second, for so long. */
export interface ServerOrder {
  readonly perSecond: number;
  readonly seconds: number;
}

/** What a watching process tells the measuring one. */
export type WatcherSaid =
  | {
      readonly kind: 'complete';
      readonly ms: number;
      readonly cpuMs: number;
      /** What stays after a garbage collection, above what was there before the list. */
      readonly heapBytes: number;
      readonly rssBytes: number;
    }
  | { readonly kind: 'used'; readonly cpuMs: number; readonly events: number };

/** Begins to watch, and says after each change how many pods it knows. */
export type Watcher = (look: (known: number) => void) => void;

/**
 * Measures one way to watch the pods of `url`, given as arguments with their number, until all are known. What
 * `prepare` costs is not counted: both ways load client-node there.
 */
export const measureWatcher = async (prepare: (url: string) => Promise<Watcher>): Promise<void> => {
  const [url = '', pods = ''] = process.argv.slice(2);
  const say = (said: WatcherSaid): void => {
    process.send?.(said);
  };
  let events = 0;
  process.once('disconnect', () => process.exit(0));
  process.on('message', () => say({ kind: 'used', cpuMs: cpuMs(), events }));
  const watch = await prepare(url);
  collect();
  const before = process.memoryUsage().heapUsed;
  const cpuBefore = cpuMs();
  const begun = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  watch((known) => {
    events += 1;
    if (known === Number(pods)) resolve();
  });
  await promise;
  const ms = performance.now() - begun;
  const cpu = cpuMs() - cpuBefore;
  const { rss: rssBytes } = process.memoryUsage();
  // What the list leaves on the way to the watch is gone a moment later.
  await new Promise((done) => setTimeout(done, 500));
  collect();
  say({
    kind: 'complete',
    ms,
    cpuMs: cpu,
    heapBytes: process.memoryUsage().heapUsed - before,
    rssBytes,
  });
};

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const collect = (): void => {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
};
