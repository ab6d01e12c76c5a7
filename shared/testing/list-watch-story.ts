import assert from 'node:assert/strict';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { kubeClientAt } from '@gatehouse/platform/kube/client/client';
import { ListWatch } from '@gatehouse/platform/kube/watch/list-watch';
import type { WatchTimings } from '@gatehouse/platform/kube/watch/next-step';
import { watchMetrics } from '@gatehouse/platform/kube/watch/watch-metrics';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { RecordingLog } from './recording-log.ts';
import { type Asked, type OpenAnswer, ScriptedApi } from './scripted-api.ts';
import { aWireObject, type WireSaid } from './wire-objects.ts';

/** Watches last long, waits are short: nothing in a story happens unless the script does it. */
const timings: WatchTimings = {
  answerMs: 600_000,
  watchMs: 600_000,
  graceMs: 600_000,
  steadyMs: 0,
  absentMs: 1,
  permissionsMs: 1,
  firstBackoffMs: 1,
  maxBackoffMs: 2,
};

export interface Story {
  readonly api: ScriptedApi;
  readonly index: ResourceIndex;
  readonly batches: readonly (readonly Change[])[];
  readonly log: RecordingLog;
  readonly watch: ListWatch;
  /** Stands still until a test moves it. */
  readonly clock: { elapsed: number };
  /** The next request, which must be a list. */
  list(): Promise<Asked>;
  /** The next request, which must be a watch of what came after `version`. */
  follow(version: string): Promise<OpenAnswer>;
  /** Lets the look at the server's version before a watch that goes on pass. */
  pass(version: string): Promise<void>;
  until(holds: () => boolean): Promise<void>;
  metric(line: RegExp): Promise<void>;
}

/** Plays one kind against a scripted API server; ends both after the story. */
export const story = async (
  kind: Kind,
  tell: (story: Story) => Promise<void>,
  more: Partial<WatchTimings> = {},
): Promise<void> => {
  await using api = await ScriptedApi.start();
  const client = kubeClientAt(api.url);
  const metrics = new Metrics('test');
  const index = new ResourceIndex();
  const batches: (readonly Change[])[] = [];
  const log = new RecordingLog();
  const waiting = new Set<() => void>();
  const clock = { elapsed: 0 };
  const watch: ListWatch = new ListWatch({
    kind,
    client,
    log,
    metrics: watchMetrics(metrics, { health: () => [watch.health()] }),
    timings: { ...timings, ...more },
    elapsed: () => clock.elapsed,
    dice: () => 0.5,
    deliver: (changes) => {
      batches.push(changes);
      index.apply(changes);
      for (const look of [...waiting]) look();
    },
  });
  const list = async (): Promise<Asked> => {
    const asked = await api.next();
    assert.equal(asked.query.watch, undefined, 'a list, no watch');
    return asked;
  };
  const end = new AbortController();
  const ended = watch.run(end.signal);
  try {
    await tell({
      api,
      index,
      batches,
      log,
      watch,
      clock,
      list,
      follow: async (version) => {
        const asked = await api.next();
        const { watch: isWatch, resourceVersion, allowWatchBookmarks, timeoutSeconds } = asked.query;
        assert.deepEqual(
          { isWatch, resourceVersion, allowWatchBookmarks, timeoutSeconds },
          { isWatch: 'true', resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds: '600' },
        );
        return asked.open();
      },
      pass: async (version) => {
        const asked = await list();
        assert.equal(asked.query.limit, '1');
        asked.json(200, aList(version));
      },
      until: async (holds) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const look = (): void => {
          if (holds()) resolve();
        };
        waiting.add(look);
        look();
        await promise;
        waiting.delete(look);
      },
      metric: async (line) => assert.match(await metrics.text(), line),
    });
  } finally {
    end.abort();
    await ended;
    client.close();
  }
};

/** Its port is its version. */
export const aService = (version: number, said: WireSaid = {}) =>
  aWireObject('Service', {
    name: 'web',
    uid: 'web-1',
    spec: { clusterIP: '10.0.0.1', ports: [{ port: version }] },
    ...said,
    metadata: { resourceVersion: String(version), ...said.metadata },
  });

export const aList = (version: string, items: readonly unknown[] = [], more?: string) => ({
  apiVersion: 'v1',
  kind: 'List',
  metadata: { resourceVersion: version, ...(more === undefined ? {} : { continue: more }) },
  items,
});

export const event = (type: string, object: unknown) => ({ type, object });
export const bookmark = (version: string) =>
  event('BOOKMARK', { kind: 'Service', metadata: { resourceVersion: version } });
export const expired = event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });

export const portOf = ({ index }: Story, name = 'web'): number | undefined =>
  index.get('Service', 'demo', name)?.spec.ports[0]?.port;
