import { Agent, request as httpsRequest } from 'node:https';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { reviewBodies } from './review-bodies.ts';

/** Reviews to send, in a process of its own: the client of 10,000 streams must not hold them up. */
export interface ReviewsOrder {
  readonly url: string;
  readonly trustAnchors: string;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface ReviewsSaid {
  /** From the moment at which each was due, so that a server that falls behind is not spared; sorted. */
  readonly ms: readonly number[];
  readonly refused: number;
  readonly warned: number;
  /** Answers that are none. */
  readonly failed: number;
}

const bodies = reviewBodies();

let agent: Agent | undefined;

/**
 * As many connections as an API server keeps idle for a webhook (client-go); they stay from one order to the next. What is said
 * of TLS with a request and not here would keep Node from using a connection again.
 */
const agentFor = (trustAnchors: string): Agent => {
  agent ??= new Agent({
    keepAlive: true,
    maxSockets: 25,
    ca: trustAnchors,
    checkServerIdentity: () => undefined,
  });
  return agent;
};

const send = (url: string, trustAnchors: string, body: string): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const sent = httpsRequest(url, {
    method: 'POST',
    agent: agentFor(trustAnchors),
    headers,
  });
  sent.once('error', reject);
  sent.once('response', async (response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    resolve(Buffer.concat(chunks).toString());
  });
  sent.end(body);
  return promise;
};

const run = async ({ url, trustAnchors, perSecond, seconds }: ReviewsOrder): Promise<ReviewsSaid> => {
  const ms: number[] = [];
  const seen = { refused: 0, warned: 0, failed: 0 };
  const all: Promise<void>[] = [];
  const begun = performance.now();
  for (let count = 0; count < perSecond * seconds; count += 1) {
    const due = begun + (count * 1_000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    const one = async (): Promise<void> => {
      const text = await send(url, trustAnchors, bodies[count % bodies.length] ?? '').catch(() => '');
      ms.push(performance.now() - due);
      if (!text.includes('"uid"')) seen.failed += 1;
      if (text.includes('"allowed":false')) seen.refused += 1;
      if (text.includes('"warnings"')) seen.warned += 1;
    };
    all.push(one());
  }
  await Promise.all(all);
  return { ms: ms.sort((a, b) => a - b), ...seen };
};

process.on('message', (order: ReviewsOrder) => {
  void run(order).then((said) => process.send?.(said));
});
process.once('disconnect', () => process.exit(0));
