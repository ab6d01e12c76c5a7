import type { TestContext } from 'node:test';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import type { EventNote } from '@gatehouse/platform/kube/write/events';
import { createLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { ServingLeaf, type ServingLeafOptions } from '@gatehouse/platform/own-leaf/serving-leaf';
import type { TlsMaterial } from '@gatehouse/platform/tls/material';

export const root = anAuthority({ name: 'root' });
export const issuer = anAuthority({ name: 'issuer', issuedBy: root });
export const name = 'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
export const day = 86_400_000;
export const begin = 1_800_000_000_000;
export const skew = 20_000;

/** A leaf on clocks that the test moves: each sleep ends when the test says that its time has passed, or wakes it. */
export const onAClock = async (
  t: TestContext,
  { publish, ...options }: Partial<ServingLeafOptions> & { readonly publish?: () => void } = {},
) => {
  let now = begin;
  let elapsed = 0;
  const lines: Record<string, unknown>[] = [];
  const published: TlsMaterial[] = [];
  const metrics = new Metrics('test');
  const events: EventNote[] = [];
  const abort = new AbortController();
  let asleep = Promise.withResolvers<number>();
  let wake = (): void => {};
  const leaf = new ServingLeaf({
    obtain: async (trustAnchors) => ({
      ...aTlsMaterial(issuer, { name }),
      trustAnchors,
      validFrom: now - skew,
      validUntil: now + day,
    }),
    trustAnchors: async () => root.pem,
    log: createLog({
      service: 'test',
      level: 'info',
      format: 'json',
      to: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    events: { record: (event) => void events.push(event) },
    metrics,
    now: () => now,
    elapsed: () => elapsed,
    random: () => 0,
    sleep: async (ms, signal) => {
      if (signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = () => {
        now += ms;
        elapsed += ms;
        resolve();
      };
      signal.addEventListener('abort', () => resolve());
      asleep.resolve(ms);
      await promise;
    },
    ...options,
  });
  const running = leaf.run(publish ?? ((material) => void published.push(material)), abort.signal);
  t.after(async () => {
    abort.abort();
    wake();
    await running;
  });
  /** How long it rests now; `pass` lets that time go by and resolves to the next rest. */
  const rest = (): Promise<number> => asleep.promise;
  const pass = async (): Promise<number> => {
    await rest();
    asleep = Promise.withResolvers<number>();
    wake();
    return rest();
  };
  /** The clock is set, and the leaf looks; resolves to its next rest. */
  const setClock = (byMs: number): Promise<number> => {
    now += byMs;
    asleep = Promise.withResolvers<number>();
    leaf.look();
    return rest();
  };
  return { leaf, metrics, lines, events, published, rest, pass, setClock, now: () => now };
};
