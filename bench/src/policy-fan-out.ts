import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { said, tell, used } from './destination/asked-side.ts';
import { ports, serverName, watchRequest } from './policy/cluster-objects.ts';
import { StreamLoad } from './stream-load.ts';

/** WatchPort streams as proxies hold them: one connection a pod, one stream for each of its ports (design §14). */
const connections = 2_000;
const streams = connections * ports.length;
const podsPerApp = 100;
const changes = 10;
/** Of nothing at all, in which the streams are only there. */
const quietMs = 5_000;

interface Measured {
  readonly firstMs: number;
  /** To the last stream, of each change; sorted. */
  readonly changeMs: readonly number[];
  /** CPU of the measured process for one change: what stays comparable on a busy machine. */
  readonly changeCpuMs: number;
  /** Of a core, while nothing changes. */
  readonly quietPercent: number;
  readonly rssMiB: number;
  /** What one stream costs, the process before the first connection taken off. */
  readonly kibPerStream: number;
}

const measure = async (side: string): Promise<Measured> => {
  const child = fork(join(import.meta.dirname, 'policy', `${side}-side.ts`), [
    `${connections}`,
    `${podsPerApp}`,
  ]);
  try {
    const { port, trustAnchors } = await said(child, 'listening');
    const request = (index: number): Uint8Array =>
      watchRequest(index % connections, ports[Math.floor(index / connections)] ?? 0);
    const path = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';
    const load = new StreamLoad({ port, serverName, trustAnchors, connections, streams, path, request });
    const idle = await used(child);
    await load.connect();
    const firstMs = await timed(() => load.open());
    const before = await used(child);
    const changeMs: number[] = [];
    for (let change = 1; change <= changes; change += 1) {
      changeMs.push(
        await timed(() => {
          const all = load.next(change);
          tell(child, 'change');
          return all;
        }),
      );
      // Longer than the pause between two compiles, so that each change counts by itself.
      await delay(200);
    }
    const after = await used(child);
    await delay(quietMs);
    const quiet = await used(child);
    load.close();
    return {
      firstMs,
      changeMs: changeMs.sort((a, b) => a - b),
      changeCpuMs: (after.cpuMs - before.cpuMs) / changes,
      quietPercent: (100 * (quiet.cpuMs - after.cpuMs)) / quietMs,
      rssMiB: after.rssBytes / 2 ** 20,
      kibPerStream: (after.rssBytes - idle.rssBytes) / 1024 / streams,
    };
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
};

const timed = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(16)}${cells.map((cell) => cell.padStart(11)).join('')}\n`);
};

const row = (name: string, measured: Measured): void => {
  const { firstMs, changeMs, changeCpuMs, quietPercent, rssMiB, kibPerStream } = measured;
  const times = [firstMs, median(changeMs), changeMs.at(-1) ?? 0, changeCpuMs];
  line(name, [
    ...times.map((ms) => `${ms.toFixed(0)} ms`),
    `${quietPercent.toFixed(1)} %`,
    `${rssMiB.toFixed(0)} MiB`,
    `${kibPerStream.toFixed(1)} KiB`,
  ]);
};

process.stdout.write(`${streams} WatchPort streams on ${connections} TLS connections, one change for all\n`);
line('', ['first', 'change', 'worst', 'its CPU', 'quiet', 'RSS', 'a stream']);
const floor = await measure('floor');
row('bare node:http2', floor);
const gatehouse = await measure('gatehouse');
row('gatehouse', gatehouse);
line(
  'ratio',
  [
    gatehouse.firstMs / floor.firstMs,
    median(gatehouse.changeMs) / median(floor.changeMs),
    (gatehouse.changeMs.at(-1) ?? 0) / (floor.changeMs.at(-1) ?? 1),
    gatehouse.changeCpuMs / floor.changeCpuMs,
  ].map((ratio) => ratio.toFixed(2)),
);
