import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerOrder, ServerSaid, WatcherSaid } from './watch/side.ts';

/** Pods listed and watched from an API server, beside client-node's informer on the same server (design §5). */
const sizes = [2_500, 5_000, 10_000] as const;
const rounds = 3;
const changesPerSecond = 1_000;
const changeSeconds = 10;

type Complete = WatcherSaid & { kind: 'complete' };

interface Measured extends Complete {
  /** CPU of the watching process for a second of changes. */
  readonly changeCpuMs: number;
  /** How many of those changes it heard of. */
  readonly heard: number;
}

const start = (side: string, args: readonly (string | number)[]): ChildProcess =>
  fork(join(import.meta.dirname, 'watch', `${side}-side.ts`), args.map(String), {
    execArgv: ['--expose-gc'],
  });

const end = async (child: ChildProcess): Promise<void> => {
  child.disconnect();
  await once(child, 'exit');
};

const said = async <S extends { readonly kind: string }, K extends S['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<S, { kind: K }>> => {
  for (;;) {
    const message = await Promise.race([
      once(child, 'message') as Promise<[S]>,
      once(child, 'exit').then(() => {
        throw new Error(`the process ended before it said ${kind}`);
      }),
    ]);
    if (message[0].kind === kind) return message[0] as Extract<S, { kind: K }>;
  }
};

const used = (child: ChildProcess): Promise<Extract<WatcherSaid, { kind: 'used' }>> => {
  const answer = said<WatcherSaid, 'used'>(child, 'used');
  child.send('use');
  return answer;
};

const measure = async (
  side: string,
  { url, pods, server }: { readonly url: string; readonly pods: number; readonly server?: ChildProcess },
): Promise<Measured> => {
  const watcher = start(side, [url, pods]);
  try {
    const complete = await said<WatcherSaid, 'complete'>(watcher, 'complete');
    if (server === undefined) return { ...complete, changeCpuMs: 0, heard: 0 };
    const before = await used(watcher);
    const changed = said<ServerSaid, 'changed'>(server, 'changed');
    const order: ServerOrder = { perSecond: changesPerSecond, seconds: changeSeconds };
    server.send(order);
    const { tookMs } = await changed;
    await delay(1_000);
    const after = await used(watcher);
    return {
      ...complete,
      changeCpuMs: (after.cpuMs - before.cpuMs) / (tookMs / 1_000),
      heard: after.events - before.events,
    };
  } finally {
    await end(watcher);
  }
};

const withServer = async <T>(
  pods: number,
  work: (server: ChildProcess, url: string) => Promise<T>,
): Promise<T> => {
  const server = start('server', [pods]);
  try {
    const { url } = await said<ServerSaid, 'serving'>(server, 'serving');
    return await work(server, url);
  } finally {
    await end(server);
  }
};

const medianOf = (all: readonly Complete[], of: (one: Complete) => number): number =>
  all.map(of).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(26)}${cells.map((cell) => cell.padStart(13)).join('')}\n`);
};

const row = (name: string, pods: number, one: Complete): void =>
  line(name, [
    `${one.ms.toFixed(0)} ms`,
    `${one.cpuMs.toFixed(0)} ms`,
    `${(one.heapBytes / pods / 1000).toFixed(2)} kB`,
    `${(one.rssBytes / 2 ** 20).toFixed(0)} MiB`,
  ]);

/** Sides take turns, so that a busy minute is busy for both; medians of them. */
const measureSize = (pods: number): Promise<readonly [ours: Complete, informer: Complete]> =>
  withServer(pods, async (_server, url) => {
    const all: Record<'gatehouse' | 'informer', Complete[]> = { gatehouse: [], informer: [] };
    // The first reader warms the server, and is not counted.
    await measure('gatehouse', { url, pods });
    for (let round = 0; round < rounds; round += 1)
      for (const side of ['gatehouse', 'informer'] as const)
        all[side].push(await measure(side, { url, pods }));
    const median = (side: 'gatehouse' | 'informer'): Complete => ({
      kind: 'complete',
      ms: medianOf(all[side], ({ ms }) => ms),
      cpuMs: medianOf(all[side], ({ cpuMs }) => cpuMs),
      heapBytes: medianOf(all[side], ({ heapBytes }) => heapBytes),
      rssBytes: medianOf(all[side], ({ rssBytes }) => rssBytes),
    });
    return [median('gatehouse'), median('informer')];
  });

process.stdout.write(`pods listed to a complete index, medians of ${rounds}\n`);
line('', ['complete', 'its CPU', 'heap a pod', 'RSS']);
const ours: Complete[] = [];
for (const pods of sizes) {
  const [one, informer] = await measureSize(pods);
  ours.push(one);
  row(`gatehouse, ${pods}`, pods, one);
  row(`client-node, ${pods}`, pods, informer);
  line('ratio', [
    (one.ms / informer.ms).toFixed(2),
    (one.cpuMs / informer.cpuMs).toFixed(2),
    (one.heapBytes / informer.heapBytes).toFixed(3),
    (one.rssBytes / informer.rssBytes).toFixed(2),
  ]);
}

const exponent = (of: (one: Complete) => number): string => {
  const [first, , last] = ours;
  if (first === undefined || last === undefined) return '-';
  return (Math.log(of(last) / of(first)) / Math.log(sizes[2] / sizes[0])).toFixed(2);
};
line('exponent over the sizes', [
  exponent(({ ms }) => ms),
  exponent(({ cpuMs }) => cpuMs),
  exponent(({ heapBytes }) => heapBytes),
]);

process.stdout.write(`\n${changesPerSecond} changes a second of ${sizes[2]} pods, for ${changeSeconds} s\n`);
line('', ['CPU', 'heard']);
const changed = await withServer(sizes[2], async (server, url) => {
  const gatehouse = await measure('gatehouse', { url, pods: sizes[2], server });
  const informer = await measure('informer', { url, pods: sizes[2], server });
  return { gatehouse, informer };
});
for (const [name, one] of Object.entries(changed))
  line(name, [`${(one.changeCpuMs / 10).toFixed(1)} %`, `${one.heard}`]);
line('ratio', [(changed.gatehouse.changeCpuMs / changed.informer.changeCpuMs).toFixed(2)]);
