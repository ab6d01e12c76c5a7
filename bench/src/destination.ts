import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { said, tell, used } from './destination/asked-side.ts';
import { serverName } from './destination/cluster-objects.ts';
import { StreamLoad } from './stream-load.ts';

/** 2,000 Get streams on a 1,000-endpoint Service (design §14), 5 on each connection, over TLS. */
const streams = 2_000;
const connections = 400;
const endpoints = 1_000;
const changes = 10;

interface Measured {
  readonly firstMs: number;
  /** To the last stream, of each change; sorted. */
  readonly changeMs: readonly number[];
  /** CPU of the measured process for the first answers alone: what stays comparable on a busy machine. */
  readonly firstCpuMs: number;
  /** The longest that any other stream waited for its turn meanwhile. */
  readonly longestMs: number;
  readonly rssMiB: number;
}

interface Size {
  readonly streams: number;
  readonly connections: number;
  readonly endpoints: number;
}

const usual: Size = { streams, connections, endpoints };

const measure = async (side: string, size = usual): Promise<Measured> => {
  const child = fork(join(import.meta.dirname, 'destination', `${side}-side.ts`), [String(size.endpoints)]);
  try {
    const { port, trustAnchors } = await said(child, 'listening');
    const request = GetDestination.encode({
      scheme: '',
      path: 'backend.demo.svc.cluster.local:80',
      contextToken: '{"ns":"demo","nodeName":"node-1","pod":"frontend-0"}',
    }).finish();
    const path = '/io.linkerd.proxy.destination.Destination/Get';
    const load = new StreamLoad({
      port,
      serverName,
      trustAnchors,
      connections: size.connections,
      streams: size.streams,
      path,
      request,
    });
    await load.connect();
    const before = await used(child);
    const firstMs = await timed(() => load.open());
    const after = await used(child);
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
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    load.close();
    return {
      firstMs,
      firstCpuMs: after.cpuMs - before.cpuMs,
      longestMs: after.longestMs,
      changeMs: changeMs.sort((a, b) => a - b),
      rssMiB: after.rssBytes / 2 ** 20,
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

const row = (name: string, { firstMs, firstCpuMs, longestMs, changeMs, rssMiB }: Measured): string => {
  const times = [firstMs, firstCpuMs, longestMs, median(changeMs), changeMs.at(-1) ?? 0];
  const cells = [...times.map((ms) => `${ms.toFixed(0)} ms`), `${rssMiB.toFixed(0)} MiB`];
  return `${name.padEnd(16)}${cells.map((cell) => cell.padStart(10)).join('')}\n`;
};

process.stdout.write(`${streams} Get streams on ${connections} TLS connections, ${endpoints} endpoints\n`);
const heads = ['first', 'its CPU', 'holds up', 'change', 'worst', 'RSS'];
process.stdout.write(`${''.padEnd(16)}${heads.map((head) => head.padStart(10)).join('')}\n`);
const floor = await measure('floor');
process.stdout.write(row('bare node:http2', floor));
const gatehouse = await measure('gatehouse');
process.stdout.write(row('gatehouse', gatehouse));
const ratios = [
  gatehouse.firstMs / floor.firstMs,
  gatehouse.firstCpuMs / floor.firstCpuMs,
  gatehouse.longestMs / floor.longestMs,
  median(gatehouse.changeMs) / median(floor.changeMs),
];
process.stdout.write(
  `${'ratio'.padEnd(16)}${ratios.map((ratio) => ratio.toFixed(2).padStart(10)).join('')}\n`,
);

/** How CPU of the first answers grows when something is four times as many: 1 = in proportion. */
const exponent = (few: Measured, many: Measured): string =>
  (Math.log(many.firstCpuMs / few.firstCpuMs) / Math.log(4)).toFixed(2);

process.stdout.write('\ngrowth of the CPU of first answers, as an exponent (goal: at most 1.05)\n');
const quarter = { ...usual, streams: streams / 4, connections: connections / 4 };
process.stdout.write(`over subscribers ${exponent(await measure('gatehouse', quarter), gatehouse)}\n`);
const fewer = { ...usual, endpoints: endpoints / 4 };
process.stdout.write(`over endpoints   ${exponent(await measure('gatehouse', fewer), gatehouse)}\n`);
