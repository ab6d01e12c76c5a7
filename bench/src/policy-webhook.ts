import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { said, used } from './destination/asked-side.ts';
import type { Order } from './destination/side.ts';
import { ports, serverName, watchRequest } from './policy/cluster-objects.ts';
import { StreamLoad } from './stream-load.ts';
import { connections, podsOf } from './webhook/one-of-many.ts';
import type { ReviewsOrder, ReviewsSaid } from './webhook/reviews-side.ts';

/** 200 admission reviews a second while 10,000 streams are open: how long a review takes, and by how much streams are later. */
const streams = connections * ports.length;
const perSecond = 200;
const seconds = 10;
const warmSeconds = 3;
/** Between two changes: longer than the pause between two compiles, so that each counts by itself. */
const everyMs = 40;

interface Measured {
  readonly reviews: ReviewsSaid;
  /** From a change to the last of the streams that it is for, without and with reviews; sorted. */
  readonly quietMs: readonly number[];
  readonly busyMs: readonly number[];
  /** The longest that a stream waited for its turn, in CPU, without and with reviews. */
  readonly quietTurnMs: number;
  readonly busyTurnMs: number;
  /** CPU of the measured process for one review, that of the changes taken off. */
  readonly reviewCpuMs: number;
}

const here = (file: string): string => join(import.meta.dirname, 'webhook', file);

const measure = async (side: 'bare' | 'gatehouse'): Promise<Measured> => {
  const child = fork(here(`${side}-side.ts`));
  const client = fork(here('reviews-side.ts'));
  try {
    const { port, trustAnchors, reviews: url = '' } = await said(child, 'listening');
    const load = new StreamLoad({
      port,
      serverName,
      trustAnchors,
      connections,
      streams,
      path: '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
      request: (index) => watchRequest(index % connections, ports[Math.floor(index / connections)] ?? 0),
    });
    await load.connect();
    await load.open();
    let change = 0;
    const changesFor = async (lastingMs: number): Promise<readonly number[]> => {
      const found: number[] = [];
      const end = performance.now() + lastingMs;
      while (performance.now() < end) {
        // Streams for 8080, the first port, have the numbers of their pods.
        const heard = Promise.all(podsOf(change).map((pod) => load.nextOf(pod)));
        const start = performance.now();
        child.send('change' satisfies Order);
        await heard;
        found.push(performance.now() - start);
        change += 1;
        await delay(everyMs + (change % 7));
      }
      return found.toSorted((a, b) => a - b);
    };
    const review = async (lasting: number): Promise<ReviewsSaid> => {
      const answer = once(client, 'message');
      client.send({ url, trustAnchors, perSecond, seconds: lasting } satisfies ReviewsOrder);
      return ((await answer) as [ReviewsSaid])[0];
    };
    // Code that never ran is slow.
    await Promise.all([review(warmSeconds), changesFor(warmSeconds * 1_000)]);
    const start = await used(child);
    const quietMs = await changesFor(seconds * 1_000);
    const quiet = await used(child);
    const [reviews, busyMs] = await Promise.all([review(seconds), changesFor(seconds * 1_000)]);
    const busy = await used(child);
    load.close();
    const changeCpuMs = (quiet.cpuMs - start.cpuMs) / quietMs.length;
    return {
      reviews,
      quietMs,
      busyMs,
      quietTurnMs: quiet.longestMs,
      busyTurnMs: busy.longestMs,
      reviewCpuMs: (busy.cpuMs - quiet.cpuMs - changeCpuMs * busyMs.length) / reviews.ms.length,
    };
  } finally {
    for (const one of [client, child]) {
      one.disconnect();
      await once(one, 'exit');
    }
  }
};

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(34)}${cells.map((cell) => cell.padStart(11)).join('')}\n`);
};

const bare = await measure('bare');
const gatehouse = await measure('gatehouse');
const rows: readonly (readonly [string, (measured: Measured) => number])[] = [
  ['a review, median', ({ reviews }) => quantile(reviews.ms, 0.5)],
  ['a review, 99 %', ({ reviews }) => quantile(reviews.ms, 0.99)],
  ['a review, worst', ({ reviews }) => quantile(reviews.ms, 1)],
  ['a review, CPU', ({ reviewCpuMs }) => reviewCpuMs],
  ['a change, median, no reviews', ({ quietMs }) => quantile(quietMs, 0.5)],
  ['a change, median, with reviews', ({ busyMs }) => quantile(busyMs, 0.5)],
  ['a change, 99 %, no reviews', ({ quietMs }) => quantile(quietMs, 0.99)],
  ['a change, 99 %, with reviews', ({ busyMs }) => quantile(busyMs, 0.99)],
  ['a change, worst, no reviews', ({ quietMs }) => quantile(quietMs, 1)],
  ['a change, worst, with reviews', ({ busyMs }) => quantile(busyMs, 1)],
  ['longest turn (CPU), no reviews', ({ quietTurnMs }) => quietTurnMs],
  ['longest turn (CPU), with reviews', ({ busyTurnMs }) => busyTurnMs],
];
process.stdout.write(
  `${perSecond} reviews a second for ${seconds} s beside ${streams} WatchPort streams on ${connections} TLS connections\n`,
);
line('', ['bare', 'gatehouse', 'ratio']);
for (const [name, of] of rows)
  line(name, [
    `${of(bare).toFixed(2)} ms`,
    `${of(gatehouse).toFixed(2)} ms`,
    (of(gatehouse) / of(bare)).toFixed(2),
  ]);
const { refused, warned, failed, ms } = gatehouse.reviews;
process.stdout.write(
  `${ms.length} reviews: ${refused} refused, ${warned} with warnings, ${failed} failed (bare: ${bare.reviews.failed})\n`,
);
