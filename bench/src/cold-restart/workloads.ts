import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { AnswerReader } from './answer-reader.ts';

export interface WorkloadsOptions {
  readonly port: number;
  readonly serverName: string;
  readonly trustAnchors: string;
  /** Sent as soon as the TLS handshake is over. */
  readonly request: Buffer;
  readonly workloads: number;
  readonly rule: RetryRule;
}

/**
 * `proxy`: all come within `withinMs`; who has no TLS connection after a second gives up, and after any error waits ten
 * (contract/proxy.md §1.1). `patient`: so many at a time, each for as long as it takes.
 */
export type RetryRule =
  | { readonly kind: 'proxy'; readonly withinMs: number }
  | { readonly kind: 'patient'; readonly atOnce: number };

export interface WorkloadsResult {
  /** Until the last had its answer. */
  readonly lastMs: number;
  /** Until half of them had theirs. */
  readonly medianMs: number;
  /** Attempts by how they ended. */
  readonly attempts: Readonly<Record<Outcome, number>>;
}

type Outcome = 'answered' | 'no handshake within 1 s' | 'refused or cut' | 'error answer';

const connectMs = 1_000;
const retryMs = 10_000;

/** An answer with a leaf and its issuer is longer than this, an error is shorter. */
const leastAnswerBytes = 500;

/** Gets each workload its answer, and says how long it took. */
export const runWorkloads = async (options: WorkloadsOptions): Promise<WorkloadsResult> => {
  const { workloads, rule } = options;
  const attempts: Record<Outcome, number> = {
    answered: 0,
    'no handshake within 1 s': 0,
    'refused or cut': 0,
    'error answer': 0,
  };
  // Made once: parsing the anchors again for each connection would cost more than the handshake.
  const secureContext = createSecureContext({ ca: options.trustAnchors, minVersion: 'TLSv1.3' });
  const start = performance.now();
  const times: number[] = [];
  const certify = async (): Promise<void> => {
    for (;;) {
      const outcome = await attempt(options, secureContext);
      attempts[outcome] += 1;
      if (outcome === 'answered') break;
      await sleep(retryMs);
    }
    times.push(performance.now() - start);
  };
  if (rule.kind === 'proxy') {
    const begin = async (index: number): Promise<void> => {
      await sleep((rule.withinMs * index) / workloads);
      await certify();
    };
    await Promise.all(Array.from({ length: workloads }, (_, index) => begin(index)));
  } else {
    let left = workloads;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await certify();
      }
    };
    await Promise.all(Array.from({ length: rule.atOnce }, lane));
  }
  times.sort((a, b) => a - b);
  return { lastMs: times.at(-1) ?? 0, medianMs: times[Math.floor(times.length / 2)] ?? 0, attempts };
};

const attempt = (
  { port, serverName, request, rule }: WorkloadsOptions,
  secureContext: SecureContext,
): Promise<Outcome> => {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const socket = connect({ host: '127.0.0.1', port, servername: serverName, secureContext });
  socket.setNoDelay(true);
  const end = (outcome: Outcome): void => {
    clearTimeout(timer);
    socket.destroy();
    resolve(outcome);
  };
  const timer =
    rule.kind === 'proxy'
      ? setTimeout(end, connectMs, 'no handshake within 1 s' satisfies Outcome)
      : undefined;
  const reader = new AnswerReader();
  socket.once('secureConnect', () => {
    clearTimeout(timer);
    socket.write(request);
  });
  socket.on('data', (chunk: Buffer) => {
    const isAnswer = reader.push(chunk, leastAnswerBytes);
    if (isAnswer !== undefined) end(isAnswer ? 'answered' : 'error answer');
  });
  socket.once('error', () => end('refused or cut'));
  socket.once('close', () => end('refused or cut'));
  return promise;
};
